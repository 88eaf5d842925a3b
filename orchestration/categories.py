"""Proposals for spellings of a category that no alias matches, so that a person decides and need not search.

A proposal changes nothing: it holds once somebody has pasted its `seed_row` into the seed `category_aliases`. The only
module that imports rapidfuzz.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from orchestration.connections import Store

# Each of the seed's aliases, looked up among the others: 98 of 106 get a proposal and 96 of these are right, and of 35
# words that mean none of the ten categories two get one. At 85 it is 88, 87 and none; a person reads them anyway.
CUT_OFF = 75.0

PROPOSALS = pa.schema(
    [
        ("spelling", pa.string()),
        ("category", pa.string()),
        ("score", pa.float64()),
        ("resembles", pa.string()),
        ("source_rows", pa.int64()),
        ("feeds", pa.string()),
        ("example_product_id", pa.string()),
        ("first_seen_on", pa.date32()),
        ("last_seen_on", pa.date32()),
        ("seed_row", pa.string()),
    ]
)


def propose(unmatched: pa.Table, aliases: pa.Table) -> pa.Table:
    """Proposes a category for each spelling.

    Args:
        unmatched: The spellings (`spelling`) and whatever else is known about them; these columns pass through.
        aliases: The spellings that are known (`alias`) and what they mean (`category`).

    Returns:
        The spellings with `category`, `score` (0 to 100), the alias that each `resembles`, and the `seed_row` to paste
        there; all four are null where no alias is near enough.
    """
    from rapidfuzz import fuzz, process, utils

    # Sorted, because of equally near aliases the first one is taken.
    meaning = dict(sorted(zip(aliases["alias"].to_pylist(), aliases["category"].to_pylist(), strict=True)))
    proposed: dict[str, list[str | float | None]] = {"category": [], "score": [], "resembles": [], "seed_row": []}
    for spelling in unmatched["spelling"].to_pylist():
        # Words in any order, signs aside; a word that only one of the two has counts less than letters that differ.
        found = process.extractOne(
            spelling,
            list(meaning),
            scorer=fuzz.token_set_ratio,
            processor=utils.default_process,
            score_cutoff=CUT_OFF,
        )
        alias, score = (found[0], round(found[1], 1)) if found else (None, None)
        category = meaning[alias] if alias else None
        proposed["category"].append(category)
        proposed["score"].append(score)
        proposed["resembles"].append(alias)
        proposed["seed_row"].append(_csv_line(spelling, category) if category else None)
    table = unmatched
    for name, values in proposed.items():
        table = table.append_column(PROPOSALS.field(name), pa.array(values, PROPOSALS.field(name).type))
    return table


def write_proposals(warehouse: Store) -> pa.Table:
    """Replaces quality.category_proposals by what the marts of today leave unmatched, and returns it.

    Args:
        warehouse: A warehouse whose dbt models are built.
    """
    unmatched = warehouse.query(
        """
        select spelling, cast(sum(source_rows) as bigint) as source_rows,
            string_agg(distinct feed, ', ' order by feed nulls first) as feeds,
            min(example_product_id) as example_product_id, min(first_seen_on) as first_seen_on,
            max(last_seen_on) as last_seen_on
        from intermediate.int_categories_unmatched
        group by spelling
        order by source_rows desc, spelling
        """
    )
    aliases = warehouse.query("select alias, category from seeds.category_aliases")
    rows = propose(unmatched, aliases).select(PROPOSALS.names)
    with warehouse.transaction() as connection:
        connection.register("incoming_rows", rows)
        connection.execute("delete from quality.category_proposals where true")
        names = ", ".join(rows.column_names)
        connection.execute(f"insert into quality.category_proposals ({names}) select {names} from incoming_rows")
    return rows


def _csv_line(*values: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
