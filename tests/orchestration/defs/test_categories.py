"""The asset of the category proposals shows a person what to decide, in Dagster too."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.categories import category_proposals
from orchestration.defs.run import Run
from orchestration.warehouse import Warehouse


def test_the_asset_shows_the_proposals_as_a_table_that_no_spelling_can_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATALYST_HOME", str(tmp_path))
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.prepare([])
    with warehouse.connect() as connection:
        connection.execute("create schema intermediate")
        connection.execute("create schema seeds")
        connection.execute("create table seeds.category_aliases as select 'toys' as alias, 'Toys' as category")
        connection.execute(
            """
            create table intermediate.int_categories_unmatched as
            select 'raw_web.orders' as feed, 'to|ys' as raw_category, 'to|ys' as spelling, 2 as source_rows,
                date '2024-01-01' as first_seen_on, date '2024-01-02' as last_seen_on, 'P1' as example_product_id
            """
        )
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([category_proposals], instance=instance, resources={"run": Run(as_of="2024-01-02")})
    [event] = done.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert (metadata["dagster/row_count"].value, metadata["proposed"].value) == (1, 1)
    assert metadata["rows_that_are_other"].value == 2
    table = str(metadata["spellings"].value).splitlines()
    assert table[0] == "| spelling | source_rows | feeds | category | score | resembles | seed_row |"
    # "to ys" against "toys": 4 of 4 letters in order, 2 * 4 / (5 + 4).
    assert table[2:] == ["| to\\|ys | 2 | raw_web.orders | Toys | 88.9 | toys | to\\|ys,Toys |"]
