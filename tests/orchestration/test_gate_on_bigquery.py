"""The gate on BigQuery marks the rows that it marks on DuckDB, for the same reasons and with the same consequences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.bigquery import BigQuery
from orchestration.connections import Store
from orchestration.contracts import Feed, read_feed
from orchestration.gate import Gated, check_balance, gate, redrive
from orchestration.landing import land, pipeline_name
from orchestration.rules import batch
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import column, contract
from tests.orchestration.test_values import NO_VALUES, VALUES
from tests.parts.bigquery import Project

# What each engine has to write alike; the clock is the only thing that may differ.
TABLES = {
    "quality.quarantine": "feed, load_id, row_number, rules, reasons, payload",
    "quality.loads": "feed, load_id, landed_at, rows_landed, rows_accepted, rows_quarantined, status",
    "quality.findings": "feed, load_id, rule, severity, rows_broken, share, message",
    "quality.validations": "feed, load_id, result",
}


@dataclass
class Twins:
    """One history of landings, in a DuckDB file and in BigQuery."""

    duck: Warehouse
    cloud: BigQuery
    project: Project
    known: set[str] = field(default_factory=set)

    def mirror(self, feeds: Sequence[Feed]) -> None:
        """Brings into BigQuery what has landed, as a landing there would have left it."""
        if new := [feed for feed in feeds if feed.id not in self.known]:
            self.cloud.prepare(new)
            self.known |= {feed.id for feed in new}
        with self.duck.connect() as connection:
            for schema in sorted({feed.schema for feed in feeds}):
                found = connection.execute(
                    "select table_name from information_schema.tables where table_schema = ? order by all", [schema]
                ).fetchall()
                for (table,) in found:
                    if table in ("_dlt_loads", "_files") or f"{schema}.{table}" in {feed.id for feed in feeds}:
                        # BigQuery does not number rows; a ledger there has the number as a column.
                        number = ", rowid" if table == "_files" else ""
                        rows = connection.execute(f"select *{number} from {schema}.{table}").to_arrow_table()
                        self.project.load(f"{schema}.{table}", rows)

    def gate(self, *feeds: Feed) -> list[Gated]:
        """Gates on both and holds one against the other; returns what was found."""
        self.mirror(feeds)
        ours = [gate(feed, self.duck) for feed in feeds]
        theirs = [gate(feed, self.cloud) for feed in feeds]
        assert theirs == ours
        return ours

    def compare(self) -> None:
        for table, columns in TABLES.items():
            ours, theirs = (
                sorted(map(_loaded, rows(store, f"select {columns} from {table}")), key=str)
                for store in (self.duck, self.cloud)
            )
            assert theirs == ours, table

    def marks(self) -> list[tuple[Any, ...]]:
        sql = "select row_number, rules from quality.quarantine order by load_id, row_number"
        found = rows(self.cloud, sql)
        assert found == rows(self.duck, sql)
        return found


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.connect() as connection:
        return connection.execute(sql).fetchall()


def _loaded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with its JSON as what it says."""
    return tuple(json.loads(v) if isinstance(v, str) and v[:1] in "{[" else v for v in row)


@pytest.fixture
def twins(tmp_path: Path, bigquery_project: Project) -> Twins:
    return Twins(Warehouse(tmp_path / "warehouse.duckdb"), BigQuery(bigquery_project.id), bigquery_project)


COLUMNS = [
    column("id", primaryKey=True),
    column("line", "integer", primaryKey=True, primaryKeyPosition=2),
    column("price", "number", required=True, logicalTypeOptions={"exclusiveMinimum": 0, "exclusiveMaximum": 10000}),
    column("quantity", "integer", logicalTypeOptions={"minimum": -5, "maximum": 5}),
    column("day", "date", logicalTypeOptions={"minimum": "2020-01-01"}),
    column("sold_at", "timestamp", logicalTypeOptions={"exclusiveMaximum": "2030-01-01T00:00:00Z"}),
    column("due", "date", logicalTypeOptions={"format": "d-MMM-yy"}),
    column("paid", "boolean"),
    column("order", logicalTypeOptions={"pattern": "^[A-Z]{2}'?\\d*$"}),
    column("email", classification="pii"),
    column("weight", "number", logicalTypeOptions={"minimum": 0.5}),
]
GOOD = {
    "line": "1",
    "price": "9.50",
    "quantity": "1",
    "day": "2024-02-29",
    "sold_at": "2024-02-29T10:00:00+02:00",
    "due": "1-Mar-24",
    "paid": "true",
    "order": "AB1",
    "email": "a@example.com",
    "weight": "1.5",
}


def rule(name: str, expectation: str, severity: str = "error", **kwargs: Any) -> dict[str, Any]:
    """A rule of a contract's `quality` block."""
    return {
        "type": "custom",
        "engine": "greatExpectations",
        "name": name,
        "severity": severity,
        "description": f"It's {name.replace('_', ' ')}.",
        "implementation": {"type": f"expect_{expectation}", "kwargs": kwargs},
    }


ABROAD = {"type": "comparison", "column": {"name": "order"}, "operator": "==", "parameter": "XX"}
RULES = [
    rule("cheap", "column_values_to_be_between", column="price", max_value=500),
    rule("known_mail", "column_values_to_match_regex", "warning", column="email", regex="@example[.]com$"),
    rule("paid_abroad", "column_values_to_be_in_set", column="paid", value_set=[True], row_condition=ABROAD),
    rule("dear_each", "column_pair_values_a_to_be_greater_than_b", column_A="price", column_B="quantity"),
    rule("one_a_day", "compound_columns_to_be_unique", "warning", column_list=["price", "day", "sold_at"]),
    rule("one_mail", "column_values_to_be_unique", "warning", column="email"),
    rule("short", "column_value_lengths_to_be_between", column="order", max_value=8),
    rule("two_amounts", "select_column_values_to_be_unique_within_record", column_list=["price", "weight"]),
    rule("enough", "table_row_count_to_be_between", "warning", min_value=3),
    rule("light_on_average", "column_mean_to_be_between", "warning", column="weight", max_value=2),
    rule("both_paid", "column_distinct_values_to_contain_set", "warning", column="order", value_set=["AB1", "ZZ"]),
    rule("not_too_heavy", "column_values_to_be_between", "critical", column="weight", max_value=1000),
]


@dataclass
class Shop:
    """A feed of files of JSON lines, by a contract that a test may amend."""

    twins: Twins
    folder: Path

    def contract(
        self, rules: Sequence[dict[str, Any]], columns: Sequence[dict[str, Any]] = COLUMNS, **custom: Any
    ) -> Feed:
        server = {"type": "local", "path": f"{self.folder}/in/*.jsonl", "format": "jsonl"}
        document = contract("sales", server, columns, **custom)
        document["schema"][0]["quality"] = list(rules)
        path = self.folder / "sales.odcs.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        self.feed = read_feed(path)
        self.twins.duck.prepare([self.feed])
        return self.feed

    def send(self, name: str, *lines: dict[str, Any] | str) -> Gated:
        """Lands a file and gates it on both; a line is what differs from a good one, or the text of the line."""
        said = [line if isinstance(line, str) else json.dumps(GOOD | line) for line in lines]
        return self.send_lines(name, said)

    def send_lines(self, name: str, said: Sequence[str]) -> Gated:
        (self.folder / "in").mkdir(exist_ok=True)
        (self.folder / "in" / name).write_text("".join(f"{line}\n" for line in said), encoding="utf-8")
        land(self.feed, self.twins.duck)
        [gated] = self.twins.gate(self.feed)
        return gated


@pytest.fixture
def shop(twins: Twins, tmp_path: Path) -> Shop:
    return Shop(twins, tmp_path)


NASTY = '\'; drop table quality.loads; -- %s @x `y` {z} \\ "q" é 漢 \u2028 ?'


def test_rows_that_break_rules_of_every_kind_are_marked_alike_and_so_are_loads_that_follow(shop: Shop) -> None:
    shop.contract(RULES, stopAbove=0.95)
    gated = shop.send(
        "1.jsonl",
        {"id": "a"},
        {"id": None, "price": None},
        {"id": "b", "price": "n/a", "quantity": "1.5", "day": "2024-02-30", "sold_at": "noon", "due": "31-Feb-24"},
        {"id": "c", "price": "0", "quantity": "6", "day": "2019-12-31", "sold_at": "2030-01-01T01:00:00+01:00"},
        {"id": "d", "price": "10000.0", "paid": "maybe", "order": "ab", "weight": "0.25"},
        {"id": "e", "order": "XX", "paid": "false", "email": "x@other.org"},
        {"id": "f", "price": "1e3", "quantity": "0x1", "day": "2024-02-29 foo", "weight": "3."},
        {"id": "g", "price": "3", "quantity": "4", "order": "AB123456789"},
        {"id": "h", "price": "1.50", "order": NASTY, "email": NASTY},
        {"id": "i", "day": None, "sold_at": None, "due": None, "paid": None, "order": None, "email": "i@example.com"},
        {"id": "a", "line": "1.0"},
        {"id": "a", "line": "1", "price": "9.75"},
        {"id": "a", "line": "2"},
        '{"id": "broken',
        "[1, 2]",
    )
    assert [(found.rule, found.severity, found.rows) for found in gated.findings] == [
        ("both_paid", "warning", 15),
        ("known_mail", "warning", 2),
        ("one_a_day", "warning", 4),
        ("one_mail", "warning", 10),
    ]
    assert shop.twins.marks() == [
        (1, "id:required,price:required"),
        (2, "day:type,due:type,price:type,quantity:type,sold_at:type"),
        (3, "day:range,dear_each,price:range,quantity:range,sold_at:range"),
        (4, "cheap,order:pattern,paid:type,price:range,weight:range"),
        (5, "paid_abroad"),
        (6, "cheap,day:type,quantity:type"),
        (7, "dear_each,short"),
        (8, "order:pattern,short,two_amounts"),
        (11, "id+line:unique"),
        (13, "_malformed:syntax,id:required,line:required,price:required"),
        (14, "_malformed:syntax,id:required,line:required,price:required"),
    ]
    shop.twins.compare()
    # Keys that were accepted before, and of two good rows with a new one the first.
    shop.send("2.jsonl", {"id": "a"}, {"id": "n"}, {"id": "n"}, {"id": "g"})
    assert shop.twins.marks()[-2:] == [(0, "id+line:unique"), (2, "id+line:unique")]
    # The file has changed: its rows of before count no more, and the n of the second file gets no rival.
    shop.send("1.jsonl", {"id": "b"}, {"id": "c"}, {"id": "n"})
    assert [status for (status,) in rows(shop.twins.cloud, "select status from quality.loads")] == ["passed"] * 3
    gated = shop.send("3.jsonl", {"id": "x"}, {"id": "y", "weight": "1000.5"}, {"id": "b"})
    assert gated.stopped
    assert check_balance(shop.feed, shop.twins.cloud) == check_balance(shop.feed, shop.twins.duck)

    shop.twins.compare()

    # The stopped load is gated anew, and another stops by its share: what that had superseded counts again.
    shop.contract([one for one in RULES if one["name"] != "not_too_heavy"], stopAbove=0.3)
    ours, theirs = (redrive(shop.feed, store, "not_too_heavy") for store in (shop.twins.duck, shop.twins.cloud))
    assert theirs == ours
    shop.twins.compare()


def test_the_same_texts_are_the_same_values_on_both(shop: Shop) -> None:
    kinds = [
        *(column(kind, kind) for kind in VALUES),
        column("day", "date", logicalTypeOptions={"format": "d-MMM-yy"}),
    ]
    shop.contract([], [column("id", primaryKey=True), *kinds])
    texts = [(kind, text) for kind in VALUES for text in (*VALUES[kind], *NO_VALUES[kind])]
    texts += [("day", text) for text in ("2-JUN-06", " 2-jun-06", "2-June-06", "31-Feb-06", "2-Jun-2006")]
    empty = dict.fromkeys((*VALUES, "day"))
    shop.send_lines(
        "1.jsonl", [json.dumps({"id": str(n), **empty, kind: text}) for n, (kind, text) in enumerate(texts)]
    )
    [load_id] = [row[0] for row in rows(shop.twins.duck, "select load_id from quality.loads")]
    read = f"select * from ({batch(shop.feed, load_id)}) as batch order by _row"
    assert rows(shop.twins.cloud, read) == rows(shop.twins.duck, read)
    shop.twins.compare()
    none = NO_VALUES | {"day": ("2-June-06", "31-Feb-06", "2-Jun-2006")}
    unread = [n for n, (kind, text) in enumerate(texts) if text in none[kind]]
    assert [row for row, _ in shop.twins.marks()] == unread


def test_rows_that_landed_in_types_of_their_own_are_told_of_alike(shop: Shop) -> None:
    limits = {"seats": {"maximum": 9}, "weight": {"minimum": 0.5}, "seen_at": {"minimum": "2020-01-01T00:00:00"}}
    kinds = {"seats": ("integer", "bigint"), "weight": ("number", "double"), "seen_at": ("timestamp", "timestamp")}
    columns = [
        column(name, kind, physicalType=landed_as, logicalTypeOptions=limits[name])
        for name, (kind, landed_as) in kinds.items()
    ]
    shop.contract([], [column("id", primaryKey=True), *columns, column("day", "date", physicalType="timestamp")])
    with shop.twins.duck.connect() as connection:
        connection.execute(
            """
            insert into raw_shop.sales by name
            select * from (values
                (0, 'a', 9, 0.5, timestamp '2020-01-01 00:00:00', timestamp '2020-01-01 00:00:00'),
                (1, 'b', 10, 0.25, timestamp '2019-12-31 23:59:59.5', null),
                (2, 'c', -1, 'nan'::double, timestamp '2020-01-01 00:00:00.000001', timestamp '2020-01-01 10:00:00'),
                (3, 'd', null, 1e-7, null, null),
                (4, 'a', 1, 1, null, null)
            ) as sent (_row, id, seats, weight, seen_at, day), (select '1700000000.5' as _dlt_load_id) as load
            """
        )
        connection.execute("create table raw_shop._dlt_loads (load_id varchar, schema_name varchar, status bigint)")
        connection.execute("insert into raw_shop._dlt_loads values ('1700000000.5', ?, 0)", [pipeline_name(shop.feed)])
    shop.twins.gate(shop.feed)
    shop.twins.compare()
    assert shop.twins.marks() == [
        (1, "seats:range,seen_at:range,weight:range"),
        (2, "weight:type"),
        (3, "weight:range"),
        (4, "id:unique"),
    ]
    reasons, payload = rows(shop.twins.cloud, "select reasons, payload from quality.quarantine where row_number = 1")[0]
    assert reasons.startswith("seats is 10, but must be at most 9. seen_at is 2019-12-31 23:59:59.5, but must")
    assert json.loads(payload)["seen_at"] == "2019-12-31 23:59:59.5"
