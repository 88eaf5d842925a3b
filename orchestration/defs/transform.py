"""The dbt project as assets, in two steps: everything that predictions need, and everything that reads predictions."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from orchestration import runs, settings, transform
from orchestration.defs.run import Run
from orchestration.errors import CatalystError
from orchestration.progress import step
from orchestration.settings import Settings

_SETTINGS = settings.load()
_MANIFEST = transform.manifest(_SETTINGS)
READS_PREDICTIONS = "config.schema:decisions config.schema:monitoring"


class Translator(DagsterDbtTranslator):
    """Groups each table by its layer."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer of a model is the dataset that it is built in."""
        schema: str | None = dbt_resource_props["config"].get("schema")
        return schema


def _build(context: dg.AssetExecutionContext, run: Run, name: str) -> Iterator[Any]:
    chosen = run.settings
    with step(f"dbt build {name}") as work:
        dbt = DbtCliResource(
            project_dir=str(chosen.project), profiles_dir=str(chosen.project), dbt_executable=str(transform.DBT)
        )
        invocation = dbt.cli(
            # Unit tests check the SQL, not the data: `make test` runs them.
            ["build", "--exclude-resource-type", "unit_test", *_as_of(run)],
            context=context,
            target_path=chosen.dbt_target,
            raise_on_error=False,
        )
        events = []
        try:
            for event in invocation.stream():
                events.append(event)
                work.update(f"{len(events)} nodes done")
        except BaseException:
            # A dbt that went on alone would keep the warehouse locked.
            invocation.process.terminate()
            invocation.process.wait()
            raise
        # dbt has ended here and left the warehouse, so that its tables can be counted.
        counts = _row_counts(run)
        tables = sum(isinstance(event, dg.Output) for event in events)
        checks = [event for event in events if isinstance(event, dg.AssetCheckResult)]
        failed = [check for check in checks if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR]
        work.result = f"{tables} tables, {len(checks)} tests, {len(failed)} failed"
        for event in events:
            yield _with_count(event, counts, context)
        if not invocation.is_successful():
            raise CatalystError(f"dbt build failed: {_failures(chosen, invocation.target_path)}")


def _as_of(run: Run) -> list[str]:
    """The as-of date is the ledger's already in a whole run; a var other than the last one costs a full parse."""
    if runs.current_as_of(run.warehouse) == run.as_of_date:
        return []
    return ["--vars", json.dumps({"as_of": run.as_of_date.isoformat()})]


def _row_counts(run: Run) -> dict[tuple[str, ...], int]:
    rows = run.warehouse.query("select schema_name, table_name, estimated_size from duckdb_tables()").to_pylist()
    return {(row["schema_name"], row["table_name"]): row["estimated_size"] for row in rows}


def _with_count(event: Any, counts: Mapping[tuple[str, ...], int], context: dg.AssetExecutionContext) -> Any:
    if not isinstance(event, dg.Output):
        return event
    count = counts.get(tuple(context.assets_def.keys_by_output_name[event.output_name].path))
    metadata = dict(event.metadata) | ({} if count is None else {"dagster/row_count": count})
    return dg.Output(event.value, output_name=event.output_name, metadata=metadata)


def _failures(chosen: Settings, target: Any) -> str:
    """Names what dbt could not build and the tests that failed, from the results that it wrote."""
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    bad = [result for result in results if result["status"] in ("error", "fail")]
    lines = [f"{result['unique_id'].split('.', 2)[-1]}: {(result['message'] or '').strip()}" for result in bad]
    return "; ".join(lines[:5]) + (
        f". {len(bad)} in all; look at them with `dbt build --select result:fail result:error --state {target}` in "
        f"{chosen.project}, mend the data or the model, and run again. The published tables are as they were."
    )


_common: dict[str, Any] = {
    "manifest": _MANIFEST,
    "dagster_dbt_translator": Translator(),
}


@dbt_assets(name="dbt_marts", exclude=READS_PREDICTIONS, **_common)
def marts(context: dg.AssetExecutionContext, run: Run) -> Iterator[Any]:
    """Staging, intermediate, marts and features, each with its tests."""
    yield from _build(context, run, "marts and features")


@dbt_assets(name="dbt_decisions", select=READS_PREDICTIONS, **_common)
def decisions(context: dg.AssetExecutionContext, run: Run) -> Iterator[Any]:
    """Decisions and monitoring: what reads predictions."""
    yield from _build(context, run, "decisions and monitoring")


assets = [marts, decisions]
