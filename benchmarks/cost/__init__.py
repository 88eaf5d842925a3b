"""What a deployment on BigQuery reads, stores and pays: computed from the SQL that dbt sends there.

Nothing is billed for it: the statements come from a build of the simulated company on local-bigquery, the sizes from
the same company in DuckDB. `reading` says what a statement reads, `sizes` how large that is at a million sale lines and
at ten billion.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlglot import exp

from benchmarks.cost import building, sizes
from benchmarks.cost.building import Asked
from benchmarks.cost.reading import Catalog, Partition, Scan, rows_deleted, scans, statements, target_of
from benchmarks.cost.sizes import HISTORY_DAYS, LINES, RAW_KEPT_DAYS, Size
from orchestration import settings
from orchestration.contracts import load_feeds
from tests.parts.bigquery import Project

AS_OF = date(2026, 6, 30)
SCALE, LARGER_SCALE = 0.1, 0.3
SALES = (1_000_000, 100_000_000, 10_000_000_000)

# USD in the multi-region US, from https://cloud.google.com/bigquery/pricing: on-demand queries by TiB, active logical
# storage by GiB and month. After 90 days without a change, a partition costs half.
USD_PER_TIB, USD_PER_GIB_MONTH = 6.25, 0.02
# Of each table that a query names, so much is billed at least.
LEAST_BYTES = 10 * 2**20

GIB = 2**30
FIRST, DAY, TESTS = "first build", "a day", "data tests"
_ONE_DAY = timedelta(days=1)
# What is not dbt's is partitioned by the date for which it was written.
_BY_DATE = ("predictions.", "identities.")
# What one process of Python pulls from the warehouse; a record of a customer has a row there.
_TRAINED, _IDENTIFIED = "feature_store.demand_forecast_features", "identities.customers"


@dataclass(frozen=True)
class Read:
    """What a statement reads of a table: which columns, and which share of the rows."""

    table: str
    columns: frozenset[str]
    share: float


@dataclass(frozen=True)
class Measured:
    """What the figures are computed from: the tables, and by node what each statement of a phase reads."""

    tables: Mapping[str, Size]
    phases: Mapping[str, Mapping[str, list[list[Read]]]]

    def growth(self, sales: int) -> float:
        """How many times the sale lines of the simulated company that is."""
        return sales / self.tables[LINES].rows

    def bytes_read(self, phase: str, node: str, sales: int) -> float:
        """The bytes that a node is billed for."""
        return sum(self._billed(one, phase, sales) for reads in self.phases[phase].get(node, ()) for one in reads)

    def largest(self, phase: str, sales: int) -> float:
        """The bytes that the most expensive statement is billed for."""
        read = [reads for each in self.phases[phase].values() for reads in each]
        return max((sum(self._billed(one, phase, sales) for one in reads) for reads in read), default=0.0)

    def stored(self, table: str, sales: int) -> float:
        """The bytes of a table."""
        size = self.tables[table]
        return size.rows_at(self.growth(sales)) * size.width * _kept_share(table)

    def _billed(self, read: Read, phase: str, sales: int) -> float:
        size = self.tables[read.table]
        width = sum(size.widths[column] for column in read.columns)
        # What lands first is the whole history.
        kept = 1.0 if phase == FIRST else _kept_share(read.table)
        size_read = size.rows_at(self.growth(sales)) * width * read.share * kept
        return max(size_read, LEAST_BYTES) if size_read else 0.0


def main() -> None:
    """Prints the bytes that each model reads, first and on a day, what is stored, and what that costs."""
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder:
        for line in report(measure(Path(folder))):
            print(line)


def measure(folder: Path) -> Measured:
    """Runs two simulated companies, and builds the smaller one on local-bigquery: first, and a day later."""
    return compiled(folder, _run(folder, SCALE), _run(folder, LARGER_SCALE))


def compiled(folder: Path, smaller: Path, larger: Path) -> Measured:
    """Returns what the models read, of the warehouses of two companies; the smaller one is changed."""
    feeds = load_feeds(settings.load().built_in_feeds)
    tables = sizes.measured(smaller, larger)
    catalog = Catalog({name: list(size.widths) for name, size in tables.items()})
    for name, columns in catalog.columns.items():
        if name.startswith(_BY_DATE) and "as_of_date" in columns:
            catalog.partitions[name] = Partition("as_of_date")
    building.split_by_day(smaller, feeds)
    with building.local_bigquery(folder) as project:
        asked = {}
        for phase, as_of in ((FIRST, AS_OF - _ONE_DAY), (DAY, AS_OF)):
            building.load(project, smaller, feeds, as_of)
            asked[phase] = building.build(folder, as_of)
        asked[TESTS] = building.tests(folder, AS_OF)
        return Measured(tables, {phase: _reads(each, catalog, project) for phase, each in asked.items()})


def report(found: Measured) -> Iterator[str]:
    """Yields the lines to print."""
    yield f"Tables of the company of size {SCALE:g}, and the power of its sale lines with which their rows grow:"
    yield f"{'table':<48}{'rows':>12}{'bytes':>12}{'power':>12}"
    most = found.growth(SALES[-1])
    for name, size in sorted(found.tables.items(), key=lambda item: (-item[1].rows_at(most), item[0])):
        if size.rows:
            yield f"{name:<48}{size.rows:>12,}{size.width:>12.0f}{size.power:>12.2f}"
    yield ""
    yield "GiB read by each model, at first and on a day:"
    yield _line("sale lines", [*SALES, *SALES], 0)
    nodes = {node for phase in (FIRST, DAY) for node in found.phases[phase]}
    for node in sorted(nodes, key=lambda node: (-found.bytes_read(DAY, node, SALES[-1]), node)):
        figures = [found.bytes_read(phase, node, sales) / GIB for phase in (FIRST, DAY) for sales in SALES]
        if any(figures):
            yield _line(node, figures, 3)
    yield ""
    yield "In all:"
    yield from _totals(found)


def _totals(found: Measured) -> Iterator[str]:
    yield _line("sale lines", SALES, 0)
    read = {phase: [_total(found, phase, sales) / GIB for sales in SALES] for phase in (FIRST, DAY, TESTS)}
    stored = [sum(found.stored(table, sales) for table in found.tables) / GIB for sales in SALES]
    for phase, figures in read.items():
        yield _line(f"GiB read, {phase}", figures)
    for phase in (FIRST, DAY):
        yield _line(f"GiB, largest statement, {phase}", [found.largest(phase, sales) / GIB for sales in SALES])
    yield _line("GiB stored", stored)
    once, day = ([a + b for a, b in zip(read[phase], read[TESTS], strict=True)] for phase in (FIRST, DAY))
    yield _line("USD, first build and its tests", [figure / 1024 * USD_PER_TIB for figure in once])
    yield _line("USD, 30 days and their tests", [30 * figure / 1024 * USD_PER_TIB for figure in day])
    yield _line("USD, storage a month", [figure * USD_PER_GIB_MONTH for figure in stored])
    trained, identified = found.tables[_TRAINED], found.tables[_IDENTIFIED]
    rows = [trained.rows_at(found.growth(sales)) for sales in SALES]
    yield _line("rows pulled to train and predict", rows, 0)
    yield _line("GiB pulled to train and predict", [number * trained.width / GIB for number in rows])
    yield _line("records pulled to identify customers", [identified.rows_at(found.growth(sales)) for sales in SALES], 0)


def _line(name: str, figures: Sequence[float], digits: int = 2) -> str:
    return f"{name:<36}" + "".join(f"{figure:>16,.{digits}f}" for figure in figures)


def _total(found: Measured, phase: str, sales: int) -> float:
    return sum(found.bytes_read(phase, node, sales) for node in found.phases[phase])


def _kept_share(table: str) -> float:
    """Raw rows expire, all others stay."""
    return RAW_KEPT_DAYS / HISTORY_DAYS if table.startswith("raw_") else 1.0


def _run(folder: Path, scale: float) -> Path:
    """Runs a company, and returns its warehouse."""
    home = folder / f"size-{scale:g}"
    chosen = settings.Settings(home=home).child_environment
    code = "from orchestration.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "--scale", str(scale), "--as-of", AS_OF.isoformat()]
    subprocess.run(command, env=os.environ | chosen, stdout=subprocess.DEVNULL, check=True)
    return home / "warehouse.duckdb"


def _reads(asked: Iterable[Asked], catalog: Catalog, project: Project) -> dict[str, list[list[Read]]]:
    found: dict[str, list[list[Read]]] = defaultdict(list)
    deleted: dict[str, float] = {}
    for one in asked:
        for statement in statements(one.sql):
            catalog.note(statement)
            if isinstance(statement, exp.Delete):
                # What is deleted is what will be inserted, by way of a temporary table.
                target = rows_deleted(statement, catalog)
                deleted[target.table] = _share(target, catalog, project)
            reads = [_read(scan, catalog, project, deleted) for scan in scans(statement, catalog)]
            found[one.node].append([read for read in reads if read.table in catalog.columns])
    return found


def _read(scan: Scan, catalog: Catalog, project: Project, deleted: Mapping[str, float]) -> Read:
    target = target_of(scan.table)
    if target != scan.table:
        return Read(target, scan.columns, deleted.get(target, 0.0))
    return Read(scan.table, scan.columns, _share(scan, catalog, project))


def _share(scan: Scan, catalog: Catalog, project: Project) -> float:
    partition = catalog.partitions.get(scan.table)
    return building.share(project, scan, partition) if partition and scan.kept else 1.0
