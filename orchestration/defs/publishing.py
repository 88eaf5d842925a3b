"""The last steps of a run: the read-only copy that BI tools open, dbt's documentation, and the report."""

from typing import Any

import dagster as dg

from orchestration import runs, transform
from orchestration.defs.monitoring import DRIFT, OUTCOMES
from orchestration.defs.run import ENGINE, Run
from orchestration.defs.transform import decisions, marts
from orchestration.errors import CatalystError
from orchestration.progress import step

PUBLISHED = dg.AssetKey(["published", "catalyst"])
DBT_DOCS = dg.AssetKey(["published", "dbt_docs"])
PROPOSALS = dg.AssetKey(["quality", "category_proposals"])


@dg.asset(
    key=PUBLISHED,
    deps=[*marts.keys, *decisions.keys, OUTCOMES, DRIFT, PROPOSALS],
    group_name="published",
    kinds={ENGINE},
)
def published(context: dg.AssetExecutionContext, run: Run) -> dg.MaterializeResult[None]:
    """The published schemas in a new read-only file, switched to in one step after every check has passed.

    On BigQuery people read the tables themselves, so there is nothing to copy.
    """
    from orchestration import publish
    from orchestration.documented import documented

    with step("publish") as work:
        runs.require_current(run.warehouse, context.run_id)
        # Every check has passed; readers of the copy see it as they see the rest.
        runs.finish(run.warehouse, context.run_id, "succeeded")
        try:
            if run.settings.target == "prod":
                tables, where = publish.check(run.warehouse), publish.url_of(run.settings)
                how = " to read where they are"
            else:
                result = publish.publish(
                    run.settings.warehouse,
                    run.settings.published,
                    as_of=run.as_of_date,
                    run_id=context.run_id,
                    documentation=documented(transform.manifest(run.settings)),
                )
                tables, where, how = result.tables, str(result.path), ""
        except CatalystError:
            runs.finish(run.warehouse, context.run_id, "failed")
            raise
        rows = sum(tables.values())
        work.result = f"{len(tables)} tables, {rows:,} rows{how}"
    metadata: dict[str, Any] = {
        "path": dg.MetadataValue.path(where),
        "dagster/row_count": rows,
        "seconds": work.seconds,
    }
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(key=DBT_DOCS, deps=[PUBLISHED], group_name="published", kinds={"dbt"})
def dbt_docs(run: Run) -> dg.MaterializeResult[None]:
    """The page of dbt: every table and column with its description, SQL, tests and lineage, and every metric."""
    from orchestration import pages

    with step("dbt docs") as work:
        path = pages.write(run.settings.dbt_docs, transform.docs(run.settings))
        work.result = path.name
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.url(path.as_uri()), "seconds": work.seconds})


@dg.asset(key=["published", "report"], deps=[PUBLISHED, DBT_DOCS], group_name="published", kinds={"altair"})
def report(run: Run) -> dg.MaterializeResult[None]:
    """One page with the headline figures, their plots and the proposed purchase orders."""
    from orchestration import publish
    from orchestration.report import build_report

    with step("report") as work:
        path = build_report(publish.published_of(run.settings), run.settings.reports, run.as_of_date)
        work.result = path.name
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.url(path.as_uri()), "seconds": work.seconds})


assets = [published, dbt_docs, report]
