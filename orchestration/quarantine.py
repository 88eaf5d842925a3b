"""What the gate has marked, for people: by feed and rule, row by row, and as a file to work through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.connections import Answer, Connection
from orchestration.errors import CatalystError
from orchestration.marks import STOPPED
from orchestration.sql import literal


@dataclass(frozen=True)
class Marks:
    """Which marks are meant.

    Attributes:
        connection: A warehouse or its published copy, which has the same `quality` tables.
        feed: Those of one feed; None for all.
        rule: Those that name a rule, perhaps beside others; None for all.
    """

    connection: Connection
    feed: str | None = None
    rule: str | None = None

    def count(self) -> int:
        """Returns how many rows are marked."""
        return int(self._rows(f"select count(*) as n {_SELECTED}")[0]["n"])

    def by_rule(self) -> list[dict[str, Any]]:
        """Returns for each feed and rule how many rows break it, their share of the feed, and an example.

        A row that breaks two rules counts for both; the example is one that breaks no other, where there is one.
        """
        return self._rows(
            f"""
            with marks as (
                select marked.*, split.rule
                from (select * {_SELECTED}) as marked, unnest(string_split(marked.rules, ',')) as split (rule)
            ),
            totals as (
                select feed, sum(rows_landed) as landed from quality.loads group by feed
            ),
            landings as (
                select distinct feed, load_id, landed_at from quality.loads
            )
            select
                marks.feed, marks.rule, count(*) as rows, count(*) / nullif(max(landed), 0) as share,
                min(coalesce(landed_at, quarantined_at)) as first_load_at,
                max(coalesce(landed_at, quarantined_at)) as last_load_at,
                first(reasons order by (rules != rule), load_id, row_number) as example
            from marks
            left join totals using (feed)
            left join landings using (feed, load_id)
            where $rule is null or rule = $rule
            group by marks.feed, marks.rule
            order by marks.feed, rows desc, marks.rule
            """
        )

    def rows(self, limit: int) -> list[dict[str, Any]]:
        """Returns the first marked rows in the order of landing; those come last whose only fault is their load."""
        return self._rows(
            f"""
            select feed, load_id, row_number, rules, reasons, quarantined_at, payload {_SELECTED}
            order by feed, rules = '{STOPPED}', load_id, row_number, rules limit {limit:d}
            """
        )

    def export(self, path: Path) -> int:
        """Writes every mark with the whole row as it was received, and returns how many.

        The file is there whole or not at all.

        Args:
            path: Its suffix says the format: `.csv`, `.parquet` or `.jsonl`.

        Raises:
            CatalystError: The suffix is another one, or the file cannot be written.
        """
        if path.suffix not in _FORMATS:
            raise CatalystError(f"{path} cannot be exported to: name a file that ends in {', '.join(_FORMATS)}.")
        payload, options = _FORMATS[path.suffix]
        part = path.with_name(f".{path.name}.part")
        try:
            marks = self._execute(
                f"""
                select feed, load_id, row_number, rules, reasons, quarantined_at, payload {_SELECTED}
                order by feed, load_id, row_number, rules
                """
            ).to_arrow_reader()
            with duckdb.connect() as writer:
                writer.register("marks", marks)
                writer.execute(
                    f"copy (select * replace ({payload} as payload) from marks) to {literal(part)} ({options})"
                )
            part.replace(path)
        except (duckdb.IOException, OSError) as error:
            part.unlink(missing_ok=True)
            raise CatalystError(
                f"The marks could not be written to {path} ({str(error).splitlines()[0]}): choose another place."
            ) from error
        return self.count()

    def _execute(self, sql: str) -> Answer:
        named = {"feed": self.feed, "rule": self.rule}
        return self.connection.execute(sql, {name: value for name, value in named.items() if f"${name}" in sql})

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        cursor = self._execute(sql)
        names = [column[0] for column in cursor.description]
        return [
            {
                name: f"{value:%Y-%m-%dT%H:%M:%S}Z" if isinstance(value, datetime) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in cursor.fetchall()
        ]


_SELECTED = """
    from quality.quarantine
    where ($feed is null or feed = $feed) and ($rule is null or list_contains(string_split(rules, ','), $rule))
"""
# Lines of JSON nest the row; a payload that is not JSON after all stays text.
_FORMATS = {
    ".csv": ("payload", "format csv, header true"),
    ".parquet": ("payload", "format parquet"),
    ".jsonl": ("coalesce(try_cast(payload as json), to_json(payload))", "format json"),
}
