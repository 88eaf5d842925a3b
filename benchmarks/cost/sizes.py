"""How large the tables are and how they grow: measured on two simulated companies, carried on by stated assumptions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

# What BigQuery counts for a value of a type; a text is 2 bytes and its length, and null is nothing.
_BYTES = {"BOOLEAN": 1, "DECIMAL": 16}
_OTHERS = 8

LINES = "core_analytics.sales"
HISTORY_DAYS = 731
RAW_KEPT_DAYS = 90

# The simulated company sells more of the same products in the same stores. So that a larger one does not look smaller
# than it is, its products are taken to grow with the square root of its sales and its stores with the fourth root.
_AT_LEAST = {"product_id": 1 / 2, "store_id": 1 / 4, "warehouse_id": 1 / 4}
# Only so many products are forecast, and bought by the forecast: `forecast_top_products` in dbt_project.yml.
_FORECAST_PRODUCTS = 500
_OF_FORECAST = ("demand_forecast", "purchase_")


@dataclass(frozen=True)
class Size:
    """A table of the smaller company.

    Attributes:
        rows: Its rows.
        widths: The average bytes of each column in a row.
        power: With which power of the sale lines its rows grow.
        limit: How many times its rows it has at most for its products, none without a limit.
    """

    rows: int
    widths: Mapping[str, float]
    power: float = 0.0
    limit: float = math.inf

    @property
    def width(self) -> float:
        """The average bytes of a row."""
        return sum(self.widths.values())

    def rows_at(self, growth: float) -> float:
        """Its rows in a company with so many times the sale lines."""
        by_product = _AT_LEAST["product_id"] if self.limit < math.inf else 0.0
        return float(self.rows * growth ** (self.power - by_product) * min(growth**by_product, self.limit))


def measured(smaller: Path, larger: Path) -> dict[str, Size]:
    """Returns the tables of a warehouse, with how they grow from it to the larger one."""
    tables, others = _tables(smaller), _tables(larger)
    steps = math.log(others[LINES].rows / tables[LINES].rows)
    products = tables["core_analytics.products"].rows
    found = {}
    for name, table in tables.items():
        other = others.get(name)
        grown = math.log(other.rows / table.rows) / steps if other and other.rows and table.rows else 0.0
        least = sum(power for column, power in _AT_LEAST.items() if column in table.widths)
        of_forecast = name.partition(".")[2].startswith(_OF_FORECAST) and "product_id" in table.widths
        limit = max(_FORECAST_PRODUCTS / products, 1.0) if of_forecast else math.inf
        found[name] = Size(table.rows, table.widths, min(max(grown, least, 0.0), 1.0), limit)
    return found


def _tables(warehouse: Path) -> dict[str, Size]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute(
            """
            select columns.schema_name || '.' || columns.table_name,
                list([column_name, data_type] order by column_index)
            from duckdb_columns() as columns
            semi join duckdb_tables() as tables using (schema_name, table_name)
            where not columns.internal
            group by all order by all
            """
        ).fetchall()
        return {name: _size(connection, name, dict(columns)) for name, columns in names}


def _size(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str]) -> Size:
    sums = ", ".join(f"coalesce(sum({_bytes(name, kind)}), 0)" for name, kind in columns.items())
    rows, *sizes = connection.execute(f"select count(*), {sums} from {table}").fetchall()[0]
    return Size(rows, {name: size / max(rows, 1) for name, size in zip(columns, sizes, strict=True)})


def _bytes(column: str, kind: str) -> str:
    if kind == "VARCHAR":
        return f'2 + strlen("{column}")'
    return f'if("{column}" is null, 0, {_BYTES.get(kind.partition("(")[0], _OTHERS)})'
