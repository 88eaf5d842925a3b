"""The review table of category spellings as an asset: beside the marts, so that no mart waits for a proposal."""

import dagster as dg

from orchestration import categories
from orchestration.defs.run import Run
from orchestration.progress import step

UNMATCHED = dg.AssetKey(["intermediate", "int_categories_unmatched"])
# A page of a person's time; the table holds them all.
_SHOWN = 30


@dg.asset(key=["quality", "category_proposals"], deps=[UNMATCHED], group_name="quality", kinds={"python"})
def category_proposals(run: Run) -> dg.MaterializeResult[None]:
    """Spellings of categories that count as Other, with the category that each resembles; accept one in the seed."""
    with step("propose categories") as work:
        rows = categories.write_proposals(run.warehouse).to_pylist()
        proposed = sum(row["category"] is not None for row in rows)
        work.result = f"{len(rows):,} unknown spellings, {proposed:,} proposals"
    columns = ("spelling", "source_rows", "feeds", "category", "score", "resembles", "seed_row")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(_cell(row[name]) for name in columns)} |" for row in rows[:_SHOWN]]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "proposed": proposed,
            "rows_that_are_other": sum(row["source_rows"] for row in rows),
            "spellings": dg.MetadataValue.md("\n".join(lines)),
            "seconds": work.seconds,
        }
    )


def _cell(value: object) -> str:
    """A value that cannot break the table: spellings are whatever somebody typed."""
    return "" if value is None else " ".join(str(value).replace("|", "\\|").split())


assets = [category_proposals]
