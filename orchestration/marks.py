"""The marks in quality.quarantine of one load: the SQL by which the gate says which raw rows do not count, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from orchestration.connections import Connection
from orchestration.contracts import Feed
from orchestration.rules import Rule
from orchestration.sql import literal, quoted

EXAMPLES = 5
STOPPED = "_load:stopped"
SUPERSEDED = "_file:superseded"

# now() carries a time zone, whose arithmetic DuckDB leaves to an extension; the epoch does not. dlt's load ids are
# seconds since the epoch.
NOW = "make_timestamp(epoch_us(now()))"
LOADED_AT = "make_timestamp(cast(cast(load_id as decimal(28, 7)) * 1000000 as bigint))"

# Temporary tables: the rows whose key came before, and the landings of files that have changed since.
_REPEATED = "catalyst_repeated_rows"
SUPERSEDED_LANDINGS = "catalyst_superseded_landings"


@dataclass(frozen=True)
class Load:
    """One load of a feed, with the connection in whose transaction it is gated.

    Attributes:
        broken: Table of the rows that break a rule, with one flag a rule.
        blocking: Its flags of the rules whose breach keeps a row out.
    """

    feed: Feed
    id: str
    connection: Connection
    broken: str
    blocking: tuple[str, ...]

    @property
    def is_broken(self) -> str:
        """Condition over the table of broken rows: the row is to be kept out."""
        return " or ".join(self.blocking) or "false"

    @cached_property
    def rows(self) -> int:
        """How many rows have landed."""
        return scalar(self.connection, f"select count(*) from {self.feed.id} where _dlt_load_id = ?", self.id)

    def find_repeated(self) -> None:
        """Finds the rows whose key a good row before them has: in this load, or accepted in an earlier one.

        A broken row repeats a good one, but does not make a good one a repetition: a till sends a broken line, then the
        right one. Rows of files that this load brings anew do not count, as it is about to supersede them.
        """
        feed = self.feed
        self.connection.execute(f"create or replace temp table {_REPEATED} (_row bigint)")
        if not feed.key:
            return
        keys = keys_of(feed)
        this = f"{feed.id} where _dlt_load_id = {literal(self.id)} and {has_key(feed)}"
        # First the few keys that more than one row has, so that all else is about few rows.
        self.connection.execute(
            f"""
            insert into {_REPEATED}
            with contested as (
                select {keys}, _row, _row not in (select _row from {self.broken} where {self.is_broken}) as _is_good
                from (select {keys}, _row from {this})
                inner join (select {keys} from {this} group by {keys} having count(*) > 1) using ({keys})
            )
            select _row from contested
            inner join (
                select {keys}, min(_row) as _first from contested where _is_good group by {keys}
            ) using ({keys})
            where _row > _first
            """
        )
        if self._has_earlier():
            find_superseded_landings(feed, self.connection, self.id)
            self.connection.execute(
                f"""
                insert into {_REPEATED}
                select distinct _row from (select _row, {keys} from {this})
                inner join (
                    select {keys} from {feed.id} as raw
                    where {in_passed(feed)} and _dlt_load_id < {literal(self.id)} and {has_key(feed)}
                        and {is_unmarked(feed)} and not {IS_SUPERSEDED}
                ) using ({keys})
                where _row not in (select _row from {_REPEATED})
                """
            )

    def count_kept_out(self) -> int:
        """Returns how many rows are broken or repeated."""
        return scalar(
            self.connection,
            f"""
            select count(*)
            from (select _row from {self.broken} where {self.is_broken} union select _row from {_REPEATED}) as kept_out
            """,
        )

    @cached_property
    def repeated(self) -> int:
        """How many rows have a key that came before, once `find_repeated` has run."""
        return scalar(self.connection, f"select count(*) from {_REPEATED}")

    def mark(self, rules: Sequence[tuple[str, Rule]]) -> None:
        """Marks the rows that are kept out, each with all of its reasons.

        Args:
            rules: The rules to name, with their flags in the table of broken rows.
        """
        feed = self.feed
        says = [(rule.id, f"coalesce({flag}, false)", rule.reason) for flag, rule in rules]
        if feed.key:
            says.append((key_rule(feed), "_repeated", key_reason(feed)))
        if not says:
            return
        says.sort()
        names = ", ".join(f"case when {flag} then {literal(id_)} end" for id_, flag, _ in says)
        reasons = ", ".join(f"case when {flag} then {reason} end" for _, flag, reason in says)
        flags = "".join(f", {flag}" for flag, _ in rules)
        named = " or ".join(flag for flag, _ in rules) or "false"
        self.connection.execute(
            f"""
            insert into quality.quarantine
            with marked as (
                select coalesce(broken._row, again._row) as _row, again._row is not null as _repeated{flags}
                from (select * from {self.broken} where {named}) as broken
                full join {_REPEATED} as again on broken._row = again._row
            )
            select {literal(feed.id)}, raw._dlt_load_id, raw._row,
                array_to_string([{names}], ','), array_to_string([{reasons}], ' '), to_json(raw), {NOW}
            from {feed.id} as raw
            inner join marked on raw._row = marked._row
            where raw._dlt_load_id = {literal(self.id)}
            order by raw._row
            """
        )

    def hold_back(self, why: str) -> None:
        """Marks every row that has no mark yet, so that nothing of the load goes on."""
        self.connection.execute(
            f"""
            insert into quality.quarantine
            select {literal(self.feed.id)}, _dlt_load_id, _row, '{STOPPED}', ?, to_json(raw), {NOW}
            from {self.feed.id} as raw
            where _dlt_load_id = {literal(self.id)} and {is_unmarked(self.feed)}
            order by _row
            """,
            [f"The load was stopped: {why}"],
        )

    def examples(self, asked: Sequence[tuple[str | None, str]]) -> list[tuple[str, ...]]:
        """Returns the first rows that break each of some rules, with their numbers and the reasons.

        Args:
            asked: For each rule its flag in the table of broken rows, None for a key that came before, and the reason.
        """
        if not asked:
            return []
        firsts = " union all ".join(
            f"(select {n} as _n, _row from {self.broken if flag else _REPEATED} where {flag or 'true'} "
            f"order by _row limit {EXAMPLES})"
            for n, (flag, _) in enumerate(asked)
        )
        reasons = " ".join(f"when {n} then {reason}" for n, (_, reason) in enumerate(asked))
        rows = self.connection.execute(
            f"""
            select _n, concat('row ', cast(raw._row as varchar), ': ', case _n {reasons} end)
            from {self.feed.id} as raw
            inner join ({firsts}) as firsts on raw._row = firsts._row
            where raw._dlt_load_id = {literal(self.id)}
            order by _n, raw._row
            """
        ).fetchall()
        return [tuple(text for which, text in rows if which == n) for n in range(len(asked))]

    def register(self, status: str) -> None:
        """Writes the load into quality.loads, by which staging knows that it was gated."""
        self.connection.execute(
            f"""
            insert into quality.loads (
                feed, load_id, landed_at, rows_landed, rows_accepted, rows_quarantined, gated_at, status
            )
            select {literal(self.feed.id)}, load_id, {LOADED_AT}, landed, landed - marked, marked, {NOW}, ?
            from (
                select
                    {literal(self.id)} as load_id,
                    (select count(*) from {self.feed.id} where _dlt_load_id = {literal(self.id)}) as landed,
                    (
                        select count(*) from quality.quarantine
                        where feed = {literal(self.feed.id)} and load_id = {literal(self.id)}
                    ) as marked
            )
            """,
            [status],
        )

    def _has_earlier(self) -> bool:
        return bool(
            scalar(
                self.connection,
                "select count(*) from quality.loads where feed = ? and load_id < ? and status = 'passed'",
                self.feed.id,
                self.id,
            )
        )


def key_rule(feed: Feed) -> str:
    """Returns the id of the rule that a key comes once."""
    return f"{'+'.join(feed.key)}:unique"


def scalar(connection: Connection, sql: str, *parameters: object) -> int:
    """Returns the one number that a query yields."""
    return int(connection.execute(sql, list(parameters)).fetchall()[0][0])


def has_table(connection: Connection, schema: str, table: str) -> bool:
    """Says whether there is a table."""
    asked = f"table_schema = {literal(schema)} and table_name = {literal(table)}"
    return bool(scalar(connection, f"select count(*) from information_schema.tables where {asked}"))


def keys_of(feed: Feed, table: str | None = None) -> str:
    """Returns the key columns as a list in SQL, of a table where one is named."""
    return ", ".join(f"{table}.{quoted(name)}" if table else quoted(name) for name in feed.key)


def has_key(feed: Feed) -> str:
    """Returns the condition that a row has a key: an unknown one equals no other."""
    return " and ".join(f"{quoted(name)} is not null" for name in feed.key)


def key_reason(feed: Feed) -> str:
    """Returns the SQL of the sentence that a key came before, over the raw row."""
    shown = ", ', ', ".join(
        f"{literal(f'{name} ')}, substr(cast({quoted(name)} as varchar), 1, 200)" for name in feed.key
    )
    return f"concat('The key ', {shown}, ' has come before.')"


def is_unmarked(feed: Feed) -> str:
    """Returns the condition over rows named `raw` that they have no mark."""
    return f"""not exists (
        select 1 from quality.quarantine as mark
        where mark.feed = {literal(feed.id)} and mark.load_id = raw._dlt_load_id and mark.row_number = raw._row
    )"""


def in_passed(feed: Feed) -> str:
    """Returns the condition that a row is of a load that was gated and not stopped."""
    return f"_dlt_load_id in (select load_id from quality.loads where feed = {literal(feed.id)} and status = 'passed')"


# Of a row without a file, `in` says neither yes nor no.
IS_SUPERSEDED = f"coalesce((raw._file, raw._dlt_load_id) in (select _file, load_id from {SUPERSEDED_LANDINGS}), false)"


def find_superseded_landings(feed: Feed, connection: Connection, load_id: str | None = None) -> int:
    """Finds the landings of files that have since come with another content, for `IS_SUPERSEDED`; returns how many.

    The ledger of the files tells it, and tells more than the rows: a file that has become empty brings none.

    Args:
        feed: The feed.
        connection: Where to look, and where the finding stays.
        load_id: A load that counts as if it had passed the gate; stopped ones change nothing.
    """
    connection.execute(f"create or replace temp table {SUPERSEDED_LANDINGS} (_file varchar, load_id varchar)")
    if not has_table(connection, feed.schema, "_files"):
        return 0
    connection.execute(
        f"""
        insert into {SUPERSEDED_LANDINGS}
        with landings as (
            select path, sha256, _dlt_load_id, row_number() over (order by _dlt_load_id, position) as nth
            from {feed.schema}._files
            where feed = {literal(feed.id)} and ({in_passed(feed)} or _dlt_load_id = {literal(load_id or "")})
        )
        -- A join: asked by `exists`, DuckDB 1.5 finds none.
        select distinct landings.path, landings._dlt_load_id
        from landings
        inner join landings as later
            on landings.path = later.path and landings.nth < later.nth and landings.sha256 != later.sha256
        """
    )
    return scalar(connection, f"select count(*) from {SUPERSEDED_LANDINGS}")
