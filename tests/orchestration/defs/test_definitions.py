"""The asset graph: every change of its keys, jobs and schedules shows in review, and its lineage has no gap."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import dagster as dg

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> "dg.Definitions":
    """The definitions, loaded as Dagster loads them, with a CATALYST_HOME of the test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CATALYST_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("CATALYST_PROJECT", raising=False)
        from orchestration.definitions import defs as loaded
    return loaded


def _graph(defs: "dg.Definitions") -> str:
    import dagster as dg

    specs = sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key.to_user_string())
    lines = [f"asset     {spec.group_name or 'default':<15} {spec.key.to_user_string()}" for spec in specs]
    jobs = sorted(job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__"))
    lines += [f"job       {name}" for name in jobs]
    schedules = list(defs.schedules or [])
    for schedule in schedules:
        assert isinstance(schedule, dg.ScheduleDefinition)
        lines.append(f"schedule  {schedule.name} {schedule.cron_schedule}")
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_one_in_the_snapshot(defs: "dg.Definitions") -> None:
    """Where the change is meant: CATALYST_SNAPSHOT=write pytest tests/orchestration/defs."""
    found = _graph(defs)
    if os.environ.get("CATALYST_SNAPSHOT") == "write":
        SNAPSHOT.write_text(found, encoding="utf-8")
    assert found == SNAPSHOT.read_text(encoding="utf-8")


def test_lineage_leads_from_every_feed_to_the_purchase_orders_and_the_report(defs: "dg.Definitions") -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    upstream = {name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in specs.items()}

    def ancestors(name: str) -> set[str]:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            for parent in upstream.get(waiting.pop(), set()) - seen:
                seen.add(parent)
                waiting.append(parent)
        return seen

    feeds = {name for name in specs if name.startswith("raw_")}
    assert len(feeds) == 18
    bought = ancestors("decisions/purchase_recommendations")
    assert {"raw_pos/sales", "raw_web/orders", "raw_wms/inventory", "raw_erp/supplier_offers"} <= bought
    assert {"quality/quarantine", "core_analytics/sales", "predictions/demand_forecast"} <= bought
    assert feeds <= ancestors("published/report")


def test_nothing_lies_apart_from_the_graph(defs: "dg.Definitions") -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    edges = [(name, dep.asset_key.to_user_string()) for name, spec in specs.items() for dep in spec.deps]
    joined = {"published/report"}
    grown = True
    while grown:
        more = {end for edge in edges if joined & set(edge) for end in edge} - joined
        grown = bool(more)
        joined |= more
    apart = set(specs) - joined
    # A seed that no model reads would be one more gap; sources that dbt names are assets of ours.
    assert apart == set()
    assert {name for edge in edges for name in edge} <= set(specs)
