"""What a BI tool sees of the published file: comments everywhere, keys, and a page that says where all comes from."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, Inspector, create_engine, inspect, text

from orchestration import pages, transform
from orchestration.documented import documented
from orchestration.publish import PUBLISHED_SCHEMAS, publish, published_url
from orchestration.report import build_report
from orchestration.settings import REPOSITORY, Settings
from tests.conftest import Requires
from tests.dbt_project.small_company import AS_OF, build_raw

GUIDE = REPOSITORY / "docs" / "bi.md"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The small company, built and published as a run does it."""
    settings = Settings(home=tmp_path_factory.mktemp("bi"), project=REPOSITORY / "dbt_project")
    with duckdb.connect(str(settings.warehouse)) as connection:
        build_raw(connection)
    transform.build(settings, ["--resource-type", "model", "--resource-type", "seed"], lambda _: None)
    publish(
        settings.warehouse,
        settings.published,
        as_of=AS_OF,
        run_id="run-1",
        documentation=documented(transform.manifest(settings)),
    )
    return settings


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = create_engine(published_url(settings.published))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def reflected(engine: Engine) -> Iterator[Inspector]:
    """On one connection: the address opens the file anew for each."""
    with engine.connect() as connection:
        yield inspect(connection)


@pytest.fixture(scope="module")
def page(settings: Settings) -> Path:
    """dbt's documentation of that warehouse."""
    return pages.write(settings.dbt_docs, transform.docs(settings))


def _tables(reflected: Inspector) -> list[tuple[str, str]]:
    return [(schema, table) for schema in PUBLISHED_SCHEMAS for table in reflected.get_table_names(schema=schema)]


def test_every_published_table_and_column_bears_a_comment(reflected: Inspector) -> None:
    without, tables = [], _tables(reflected)
    for schema, table in tables:
        comments = {"": reflected.get_table_comment(table, schema=schema)["text"]}
        comments |= {column["name"]: column["comment"] for column in reflected.get_columns(table, schema=schema)}
        without += [f"{schema}.{table}.{name}" for name, comment in comments.items() if not comment]
    assert without == []
    assert len(tables) > 25


def test_every_published_table_has_the_key_that_its_yaml_names(reflected: Inspector) -> None:
    keys = {
        f"{schema}.{table}": reflected.get_pk_constraint(table, schema=schema)["constrained_columns"]
        for schema, table in _tables(reflected)
    }
    assert keys["core_analytics.sales"] == ["sale_line_id"]
    assert keys["core_analytics.monthly_recurring_revenue"] == ["month", "customer_id", "currency"]
    assert keys["quality.quarantine"] == ["feed", "load_id", "row_number"]
    # A finding may be found twice.
    assert [table for table, key in keys.items() if not key] == ["quality.findings"]


def test_the_python_of_the_guide_works_as_written(settings: Settings) -> None:
    first, second, _ = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), flags=re.M | re.S)
    path = "/path/to/.catalyst/published/catalyst.duckdb"
    assert path in first
    names: dict[str, Any] = {}
    exec(compile(first.replace(path, str(settings.published / "catalyst.duckdb")) + second, "guide", "exec"), names)  # noqa: S102
    assert names["engine"].url.render_as_string() == published_url(settings.published)
    assert names["rows"]


def test_a_key_that_is_tested_on_some_rows_only_is_not_declared(tmp_path: Path) -> None:
    def test_of(node: str, **config: str) -> dict[str, Any]:
        metadata = {"name": "is_key", "kwargs": {"columns": ["id"], "model": "{{ ... }}"}}
        described = {"resource_type": "test", "test_metadata": metadata, "config": config}
        return described | {"depends_on": {"nodes": [node]}}

    def table(name: str, **more: str) -> dict[str, Any]:
        columns = {"id": {"description": "The\nkey."}}
        return {"schema": "s", "alias": name, "columns": columns, "description": f"About {name}."} | more

    manifest = {
        "nodes": {
            "model.all": table("all", resource_type="model"),
            "model.some": table("some", resource_type="model"),
            "test.1": test_of("model.all"),
            "test.2": test_of("model.some", where="is_current"),
            "test.3": {"resource_type": "test", "config": {}, "depends_on": {"nodes": ["model.some"]}},
            "test.4": test_of("source.landed"),
        },
        "sources": {"source.landed": table("", resource_type="source", identifier="landed")},
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    said = documented(path)
    assert {name: table.key for name, table in said.items()} == {"s.all": ("id",), "s.some": (), "s.landed": ("id",)}
    assert said["s.all"].columns == {"id": "The key."}
    assert said["s.all"].description == "About all."


def test_exposures_name_every_mart_that_the_report_reads(settings: Settings) -> None:
    manifest = json.loads(transform.manifest(settings).read_text(encoding="utf-8"))
    exposures = {exposure["name"]: exposure for exposure in manifest["exposures"].values()}
    named = {node.split(".")[-1] for node in exposures["daily_report"]["depends_on"]["nodes"]}
    read = "".join((REPOSITORY / "orchestration" / name).read_text() for name in ("summary.py", "report_rows.py"))
    assert named == set(re.findall(r"\b(?:core_analytics|predictions|decisions|monitoring)\.([a-z_]+)", read))
    assert all(exposure["owner"]["email"] and exposure["description"] for exposure in exposures.values())
    assert {"purchase_orders", "board_dashboard"} <= set(exposures)


def test_the_page_of_dbt_shows_tables_and_metrics_and_may_load_nothing(page: Path, requires: Requires) -> None:
    html = page.read_text(encoding="utf-8")
    policy = re.search(r'<head><meta http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1] == "default-src 'unsafe-inline' 'unsafe-eval' data: blob:"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    requires(chromium, "Chromium is missing: apt-get install chromium.")
    browser = [str(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    browser += [f"--user-data-dir={page.parent / 'chromium'}", "--dump-dom"]
    for node, sentence in {
        "#!/model/model.catalyst.sales": "Every sale line of every channel, classified and valued in EUR.",
        "#!/metric/metric.catalyst.mrr": "Monthly recurring revenue, EUR at the rate",
        "#!/source/source.catalyst.quality.quarantine": "A sentence for each of these rules",
    }.items():
        shown = subprocess.run([*browser, page.as_uri() + node], capture_output=True, text=True, check=True).stdout
        assert sentence in shown.split("<script")[0] + shown.rsplit("</script>", 1)[-1], node


def test_the_report_links_to_the_page_of_dbt(settings: Settings, page: Path) -> None:
    report = build_report(settings.published, settings.reports, AS_OF)
    assert 'href="dbt_docs.html"' in report.read_text(encoding="utf-8")
    assert (report.parent / "dbt_docs.html") == page


def test_dbt_leaves_the_warehouse_open_for_the_next(settings: Settings, page: Path) -> None:
    assert page.exists()
    with duckdb.connect(str(settings.warehouse)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_client_reads_a_figure_by_the_name_that_it_has_in_every_version(engine: Engine) -> None:
    with engine.connect() as connection:
        by_catalog = connection.execute(text("select count(*) from catalyst.core_analytics.sales")).scalar()
        assert by_catalog == connection.execute(text("select count(*) from core_analytics.sales")).scalar()
