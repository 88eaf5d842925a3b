"""Holds the architecture's rules about layers, names and macros over the dbt project as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dbt_project.raw_warehouse import PROJECT_DIR, run_dbt

LAYERS = ("staging", "intermediate", "core_analytics", "feature_store", "decisions", "monitoring")
FEEDS = PROJECT_DIR.parent / "orchestration" / "feeds"
DIALECT = PROJECT_DIR / "macros" / "dialect"
# Macros of dbt's own that a file there takes the place of.
OF_DBT = {"alter_column_comment"}


def _sql_files() -> Iterator[Path]:
    for folder in ("models", "tests", "macros"):
        yield from (path for path in sorted((PROJECT_DIR / folder).rglob("*.sql")) if DIALECT not in path.parents)


@pytest.fixture(scope="module")
def manifest(home: Path) -> dict[str, Any]:
    done = run_dbt(["parse"], home)
    assert done.returncode == 0, done.stdout
    parsed: dict[str, Any] = json.loads((home / "target" / "manifest.json").read_text())
    return parsed


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def _layer(model: dict[str, Any]) -> str:
    return str(model["fqn"][1])


def _sources(manifest: dict[str, Any], model: dict[str, Any]) -> set[str]:
    parents = model["depends_on"]["nodes"]
    return {manifest["sources"][parent]["source_name"] for parent in parents if parent in manifest["sources"]}


def test_only_staging_reads_raw_and_quality(manifest: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    for model in models.values():
        if _layer(model) != "staging":
            assert not {name for name in _sources(manifest, model) if name == "quality" or name.startswith("raw_")}, (
                model["name"]
            )


def test_only_decisions_and_monitoring_read_predictions(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    readers = {_layer(model) for model in models.values() if "predictions" in _sources(manifest, model)}
    assert readers == {"decisions", "monitoring"}


def test_models_read_their_own_layer_or_one_to_its_left(models: dict[str, dict[str, Any]]) -> None:
    for model in models.values():
        for parent in model["depends_on"]["nodes"]:
            if parent in models:
                assert LAYERS.index(_layer(models[parent])) <= LAYERS.index(_layer(model)), (model["name"], parent)


def test_a_model_lies_in_the_schema_of_its_layer(models: dict[str, dict[str, Any]]) -> None:
    for model in models.values():
        assert model["schema"] == _layer(model), model["name"]


def test_every_model_and_source_is_described(manifest: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    for node in (*models.values(), *manifest["sources"].values()):
        assert len(node["description"]) > 15, node["name"]


def test_every_table_that_people_read_has_a_tested_key(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    keyed = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "is_key"
    }
    for key, model in models.items():
        if _layer(model) in {"core_analytics", "decisions", "monitoring"} or model["name"].endswith("_features"):
            assert key in keyed, model["name"]


def test_every_raw_table_has_exactly_one_staging_model_and_the_reverse(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    raw = {
        key: f"stg_{source['source_name'].removeprefix('raw_')}__{source['name']}"
        for key, source in manifest["sources"].items()
        if source["source_name"].startswith("raw_")
    }
    readers: dict[str, list[str]] = {key: [] for key in raw}
    for model in models.values():
        if _layer(model) == "staging":
            read = [parent for parent in model["depends_on"]["nodes"] if parent in raw]
            assert len(read) == 1, model["name"]
            readers[read[0]].append(model["name"])
    assert readers == {key: [name] for key, name in raw.items()}


def test_every_contract_has_a_raw_source_and_the_reverse(manifest: dict[str, Any]) -> None:
    contracts = {f"raw_{path.parent.name}.{path.name.split('.')[0]}" for path in FEEDS.glob("*/*.odcs.yaml")}
    sources = {f"{source['source_name']}.{source['name']}" for source in manifest["sources"].values()}
    assert contracts == {name for name in sources if name.startswith("raw_")}


def test_models_hold_no_configuration_and_stay_short() -> None:
    for path in (PROJECT_DIR / "models").rglob("*.sql"):
        text = path.read_text()
        assert not re.search(r"\bconfig\s*\(", text), path.name
        assert len(text.splitlines()) < 100, path.name


def test_every_var_that_is_read_is_declared_and_explained() -> None:
    text = (PROJECT_DIR / "dbt_project.yml").read_text()
    declared = set(yaml.safe_load(text)["vars"]["catalyst"])
    read = {name for path in _sql_files() for name in re.findall(r"var\(\s*[\"'](\w+)", path.read_text())}
    assert read == declared
    for name in declared:
        assert re.search(rf"# .+\n    {name}:", text), name


def test_dialect_macros_are_few_and_serve_both_engines_and_no_other() -> None:
    files = sorted(DIALECT.glob("*.sql"))
    assert len(files) <= 10
    for path in files:
        # What takes the place of a macro of dbt's own is for the engine that lacks something.
        own = {f"bigquery__{path.stem}"} if path.stem in OF_DBT else set()
        both = {path.stem, f"duckdb__{path.stem}", f"bigquery__{path.stem}"}
        assert set(re.findall(r"macro\s+(\w+)\(", path.read_text())) == (own or both)
    for path in _sql_files():
        assert not re.search(r"\b(duckdb|bigquery|default)__|adapter\.dispatch", path.read_text()), path.name
