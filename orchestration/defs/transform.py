"""The dbt project as assets, in three steps: what customers are told from, what predictions need, what reads these."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration import runs, settings, transform
from orchestration.defs.run import Run
from orchestration.progress import step

_SETTINGS = settings.load()
_MANIFEST: dict[str, Any] = json.loads(transform.manifest(_SETTINGS).read_text(encoding="utf-8"))
READS_PREDICTIONS = "config.schema:decisions config.schema:monitoring"
RECORDS = "+int_customer_records"


class Translator(DagsterDbtTranslator):
    """Groups each table by its layer."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer of a model is the dataset that it is built in."""
        schema: str | None = dbt_resource_props["config"].get("schema")
        return schema


_TRANSLATOR = Translator()


def _build(context: dg.AssetExecutionContext, run: Run, name: str, **selection: str) -> Iterator[Any]:
    chosen = run.settings
    # In the Dagster UI a person may have picked some of the models.
    arguments, indirect = get_subset_selection_for_context(
        context=context,
        manifest=_MANIFEST,
        select=selection.get("select"),
        exclude=selection.get("exclude"),
        selector=None,
        dagster_dbt_translator=_TRANSLATOR,
        current_dbt_indirect_selection_env=None,
    )
    if indirect:
        arguments += ["--indirect-selection", indirect]
    # Unit tests check the SQL, not the data: `make test` runs them.
    arguments += ["--exclude-resource-type", "unit_test", "--vars", json.dumps({"as_of": run.as_of_date.isoformat()})]
    results: list[dict[str, Any]] = []
    with step(f"dbt build {name}") as work:

        def on_result(result: dict[str, Any]) -> None:
            results.append(result)
            work.update(f"{len(results)} done, now {result['data']['node_info']['node_name']}")

        runs.require_current(run.warehouse, context.run_id)
        try:
            transform.build(chosen, arguments, on_result)
        finally:
            # What was built before a failure is told to Dagster too.
            yield from _events(context, run, results, chosen.dbt_target)
        tests = sum("Test" in result["info"]["name"] for result in results)
        work.result = f"{len(results) - tests} tables and views, {tests} tests passed"


def _events(context: dg.AssetExecutionContext, run: Run, results: list[dict[str, Any]], target: Path) -> Iterator[Any]:
    counts: dict[tuple[str, ...], int] = dict(run.warehouse.row_counts().items())
    for result in results:
        message = DbtCoreCliEventMessage(raw_event=result, event_history_metadata={})
        for event in message.to_default_asset_events(_MANIFEST, _TRANSLATOR, context, target):
            yield _with_count(event, counts, context)


def _with_count(event: Any, counts: Mapping[tuple[str, ...], int], context: dg.AssetExecutionContext) -> Any:
    if not isinstance(event, dg.Output):
        return event
    count = counts.get(tuple(context.assets_def.keys_by_output_name[event.output_name].path))
    metadata = dict(event.metadata) | ({} if count is None else {"dagster/row_count": count})
    return dg.Output(event.value, output_name=event.output_name, metadata=metadata)


@dbt_assets(name="dbt_records", manifest=_MANIFEST, dagster_dbt_translator=_TRANSLATOR, select=RECORDS)
def records(context: dg.AssetExecutionContext, run: Run) -> Iterator[Any]:
    """The records of customers, and what they are made of."""
    yield from _build(context, run, "customer records", select=RECORDS)


@dbt_assets(
    name="dbt_marts", manifest=_MANIFEST, dagster_dbt_translator=_TRANSLATOR, exclude=f"{READS_PREDICTIONS} {RECORDS}"
)
def marts(context: dg.AssetExecutionContext, run: Run) -> Iterator[Any]:
    """Staging, intermediate, marts and features, each with its tests."""
    yield from _build(context, run, "marts and features", exclude=f"{READS_PREDICTIONS} {RECORDS}")


@dbt_assets(name="dbt_decisions", manifest=_MANIFEST, dagster_dbt_translator=_TRANSLATOR, select=READS_PREDICTIONS)
def decisions(context: dg.AssetExecutionContext, run: Run) -> Iterator[Any]:
    """Decisions and monitoring: what reads predictions."""
    yield from _build(context, run, "decisions and monitoring", select=READS_PREDICTIONS)


assets = [records, marts, decisions]
