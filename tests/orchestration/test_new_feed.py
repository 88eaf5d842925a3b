"""A new feed's files are proposed whole, hold no secret, and leave what is there as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from orchestration.contracts import Kind, read_feed
from orchestration.errors import CatalystError
from orchestration.new_feed import add_feed
from orchestration.promises import Severity
from orchestration.settings import Settings

HEADER = "Order No,Customer Email,Amount,Status,Ordered,group\n"
LINES = [f"A{n:03d},p{n}@x.org,{n}.5,{'open' if n % 2 else 'paid'},{n % 28 + 1}/6/2026,{n}\n" for n in range(40)]


@pytest.fixture
def company(tmp_path: Path) -> Settings:
    """A project of one's own that holds nothing yet."""
    return Settings(project=tmp_path / "company", home=tmp_path / "home")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "orders.csv"
    path.parent.mkdir()
    path.write_text(HEADER + "".join(LINES), encoding="utf-8")
    return path


def _staging(company: Settings, name: str) -> str:
    return (company.project / "models" / "staging" / "shop" / name).read_text(encoding="utf-8")


def test_the_contract_says_what_the_sample_showed(company: Settings, sample: Path) -> None:
    added = add_feed("shop.orders", str(sample.parent / "*.csv"), company)
    assert added.feed == "raw_shop.orders"
    assert added.found == "files: 40 rows, 6 columns"
    feed = read_feed(company.feeds / "shop" / "orders.odcs.yaml")
    assert (feed.id, feed.kind, feed.key) == ("raw_shop.orders", Kind.FILES, ("order_no",))
    assert feed.setting("path") == f"{sample.parent}/*.csv"
    assert {column.name: column.logical_type for column in feed.columns} == {
        "order_no": "string",
        "customer_email": "string",
        "amount": "number",
        "status": "string",
        "ordered": "string",
        "group": "integer",
    }
    assert [column.name for column in feed.columns if column.is_personal] == ["customer_email"]
    assert all(column.required for column in feed.columns)
    assert feed.stop_above == 0.5
    assert feed.fresh_within is not None
    assert feed.fresh_within.days == 1


def test_candidate_rules_only_warn(company: Settings, sample: Path) -> None:
    add_feed("shop.orders", str(sample), company)
    feed = read_feed(company.feeds / "shop" / "orders.odcs.yaml")
    assert {rule.name: rule.severity for rule in feed.expectations} == {
        "amount_is_usual": Severity.WARNING,
        "status_is_known": Severity.WARNING,
        "group_is_usual": Severity.WARNING,
    }


def test_the_staging_model_types_each_column_and_keeps_words_of_sql_out_of_the_way(
    company: Settings, sample: Path
) -> None:
    add_feed("shop.orders", str(sample), company)
    assert _staging(company, "stg_shop__orders.sql") == (
        """with

source as (
    {{ catalyst.accepted_rows("raw_shop", "orders") }}
),

renamed as (
    select
        -- ids
        {{ catalyst.identifier("order_no") }} as order_no,

        -- strings
        {{ catalyst.text_or_null("customer_email") }} as customer_email,
        {{ catalyst.text_or_null("status") }} as status,

        -- numerics
        {{ catalyst.cast_or_null("amount", "double") }} as amount,
        {{ catalyst.cast_or_null(adapter.quote("group"), "bigint") }} as group_value,

        -- dates
        {{ catalyst.date_from_formats("ordered", ["%d/%m/%Y"]) }} as ordered,

        -- landing
        landed_on

    from source
)

select * from renamed
"""
    )


def test_a_relative_path_is_made_absolute(company: Settings, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample.parent)
    add_feed("shop.orders", "orders.csv", company)
    assert read_feed(company.feeds / "shop" / "orders.odcs.yaml").setting("path") == str(sample)


def test_a_second_feed_of_a_source_is_added_to_its_yaml_without_touching_the_rest(
    company: Settings, sample: Path
) -> None:
    add_feed("shop.orders", str(sample), company)
    path = company.project / "models" / "staging" / "shop" / "_shop.yml"
    edited = path.read_text(encoding="utf-8").replace("models:\n", "# Written by hand.\nmodels:\n") + (
        "\nunit_tests:\n  - name: kept  # for good\n"
    )
    path.write_text(edited, encoding="utf-8")
    add_feed("shop.returns", str(sample), company)
    after = path.read_text(encoding="utf-8")
    parsed = yaml.safe_load(after)
    assert [source["name"] for source in parsed["sources"]] == ["raw_shop"]
    assert [table["name"] for table in parsed["sources"][0]["tables"]] == ["orders", "returns"]
    assert [model["name"] for model in parsed["models"]] == ["stg_shop__orders", "stg_shop__returns"]
    assert parsed["unit_tests"] == [{"name": "kept"}]
    key = [{"catalyst.is_key": {"arguments": {"columns": ["order_no"]}}}]
    assert [model["data_tests"] for model in parsed["models"]] == [key, key]
    # Every line that was there still is, in its order.
    remaining = iter(after.splitlines())
    assert all(line in remaining for line in edited.splitlines())


def test_a_third_feed_comes_behind_the_second(company: Settings, sample: Path) -> None:
    for name in ("orders", "returns", "prices"):
        add_feed(f"shop.{name}", str(sample), company)
    parsed = yaml.safe_load(_staging(company, "_shop.yml"))
    key = [{"catalyst.is_key": {"arguments": {"columns": ["order_no"]}}}]
    assert [(model["name"], model["data_tests"]) for model in parsed["models"]] == [
        ("stg_shop__orders", key),
        ("stg_shop__returns", key),
        ("stg_shop__prices", key),
    ]


def test_a_yaml_file_without_sources_gets_them(company: Settings, sample: Path) -> None:
    path = company.project / "models" / "staging" / "shop" / "_shop.yml"
    path.parent.mkdir(parents=True)
    path.write_text("version: 2\n", encoding="utf-8")
    add_feed("shop.orders", str(sample), company)
    parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(parsed) == ["version", "sources", "models"]


def test_nothing_that_exists_is_overwritten(company: Settings, sample: Path) -> None:
    add_feed("shop.orders", str(sample), company)
    before = {path: path.read_bytes() for path in company.project.rglob("*") if path.is_file()}
    with pytest.raises(CatalystError, match=r"orders\.odcs\.yaml is there already"):
        add_feed("shop.orders", str(sample), company)
    (company.feeds / "shop" / "orders.odcs.yaml").unlink()
    with pytest.raises(CatalystError, match=r"stg_shop__orders\.sql is there already"):
        add_feed("shop.orders", str(sample), company)
    after = {path: path.read_bytes() for path in company.project.rglob("*") if path.is_file()}
    assert after.items() <= before.items()


@pytest.mark.parametrize("name", ["orders", "Shop.orders", "shop.2024", "shop.a.b", "shop/x.orders", "shop. orders"])
def test_a_name_that_is_no_table_is_refused(company: Settings, sample: Path, name: str) -> None:
    with pytest.raises(CatalystError, match="write <source>.<table>"):
        add_feed(name, str(sample), company)
    assert not company.project.exists()


def test_a_placeholder_stays_in_the_contract(
    company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute("create table orders (id integer primary key, total numeric, placed_at datetime)")
        connection.execute("insert into orders values (1, 9.5, '2026-06-01 10:00:00.000000')")
    monkeypatch.setenv("SHOP_URL", f"sqlite:///{tmp_path}/shop.db")
    add_feed("shop.orders", "${SHOP_URL}", company, table="orders")
    feed = read_feed(company.feeds / "shop" / "orders.odcs.yaml")
    assert (feed.source["url"], feed.setting("table")) == ("${SHOP_URL}", "orders")
    assert (feed.kind, feed.key, feed.cursor, feed.known_at) == (Kind.DATABASE, ("id",), "id", "placed_at")
    assert [column.physical_type for column in feed.columns] == ["bigint", "double", "timestamp"]
