"""Writes the source systems of the simulated company up to a day, whole or not at all as far as anybody can tell.

Files appear by rename, each database grows in one transaction that also holds how far it has come, and company.json
is written last. So an advance that is killed anywhere is simply done again: it writes the same bytes to the same files,
and leaves alone what the databases already hold. What a source forgets is deleted once all else is there.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from orchestration.demo.company import HISTORY_DAYS, Company
from orchestration.demo.mess import BadRow, Batch, bad_rows
from orchestration.demo.register import Register, demo_folder, read_register, replace_file, write_register
from orchestration.demo.sources import FORGOTTEN_FOLDERS, KEPT_DAYS, whole_day
from orchestration.demo.truth import NearDuplicate, write_truth
from orchestration.errors import CatalystError

_TYPES = {
    "quantity": "INTEGER",
    "birth_year": "INTEGER",
    "unit_price": "REAL",
    "sold_at": "DATETIME",
    "recorded_at": "DATETIME",
    "signed_up_at": "DATETIME",
    "created_at": "DATETIME",
    "updated_at": "DATETIME",
}
_DATABASES = ("pos.db", "crm.db")


@dataclass(frozen=True)
class AdvanceResult:
    """What an advance did.

    Attributes:
        generated_through: The last day that the systems hold now.
        days: How many days were generated.
        rows: How many rows they gained, by feed; of the inventory, which keeps 30 days, all snapshots are counted, of
            other feeds only what their sources still hold.
    """

    company: Company
    generated_through: date
    days: int
    rows: Mapping[str, int]


def advance(
    home: Path,
    as_of: date,
    scale: float | None = None,
    seed: int = 7,
    *,
    opened: date | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> AdvanceResult:
    """Writes all source systems through a day; founds the company at the first call.

    Args:
        home: CATALYST_HOME; the systems live in its folder `demo`.
        as_of: Last day that they are to hold. If they hold it already, nothing happens.
        scale: Size of the company; as it was founded, or 1, if not given.
        seed: Which company.
        opened: Its first day; 730 days before `as_of` if not given. Only the first call decides.
        on_progress: Called after each day with days done and days to do.

    Raises:
        CatalystError: The home holds another company, or the day lies before the opening.
    """
    register = _register(home, as_of, scale, seed, opened)
    company, known = register.company, register.generated_through
    company.t(as_of)
    through = max(as_of, register.advancing_to or as_of)
    if known is not None and known >= through:
        return AdvanceResult(company, known, 0, {})
    write_register(home, replace(register, advancing_to=through))
    first = 0 if known is None else company.t(known) + 1
    rows: Counter[str] = Counter()
    bad: list[BadRow] = []
    repeated: list[NearDuplicate] = []
    total = company.t(through) - first + 1
    root = demo_folder(home)
    with ExitStack() as stack:
        databases = {
            name: stack.enter_context(closing(sqlite3.connect(root / name, isolation_level=None)))
            for name in _DATABASES
        }
        held = {name: _prepare(database, company) for name, database in databases.items()}
        for t in range(first, company.t(through) + 1):
            day = whole_day(company, t, company.t(through))
            for path, content in day.files.items():
                replace_file(root / path, content)
            for (name, table), batch in day.tables.items():
                if t > held[name]:
                    _insert(databases[name], table, batch, company.day(t))
            repeated += [NearDuplicate(company.day(t), *pair) for pair in day.near_duplicates]
            for batch in day.batches:
                rows[batch.shape.id] += len(batch.rows)
                bad += bad_rows(batch, company.day(t))
            if on_progress is not None:
                on_progress(t - first + 1, total)
        for database in databases.values():
            database.execute("update demo_progress set generated_through = ?", [str(through)])
            database.execute("commit")
    for folder in FORGOTTEN_FOLDERS:
        _forget(root / folder, max(through - timedelta(days=KEPT_DAYS - 1), company.opened))
    write_truth(home, company, through, known, bad, repeated)
    write_register(home, Register(company, generated_through=through))
    return AdvanceResult(company, through, total, dict(rows))


def _register(home: Path, as_of: date, scale: float | None, seed: int, opened: date | None) -> Register:
    register = read_register(home)
    if register is None:
        company = Company(
            opened=opened or as_of - timedelta(days=HISTORY_DAYS), seed=seed, scale=1.0 if scale is None else scale
        )
        company.t(as_of)
        return Register(company)
    company = register.company
    for name, wanted, found in (
        ("scale", company.scale if scale is None else scale, company.scale),
        ("seed", seed, company.seed),
        ("opening day", opened or company.opened, company.opened),
    ):
        if wanted != found:
            raise CatalystError(
                f"The simulated company in {demo_folder(home)} has {name} {found}, not {wanted}: run with {found}, "
                f"or set CATALYST_HOME to a new folder to found another one."
            )
    return register


def _forget(folder: Path, kept_from: date) -> None:
    for day in sorted(folder.glob("date=*")):
        if day.name < f"date={kept_from}":
            for file in day.iterdir():
                file.unlink()
            day.rmdir()


def _prepare(database: sqlite3.Connection, company: Company) -> int:
    """Begins the transaction and returns the last day number that the database holds, -1 for none."""
    # As large as a default company: nothing is written before the commit, so that a kill leaves little to undo.
    database.execute("pragma cache_size = -131072")
    database.execute("begin immediate")
    database.execute("create table if not exists demo_progress (generated_through text)")
    found = database.execute("select generated_through from demo_progress").fetchall()
    if not found:
        database.execute("insert into demo_progress values (null)")
    return company.t(date.fromisoformat(found[0][0])) if found and found[0][0] else -1


def _insert(database: sqlite3.Connection, table: str, batch: Batch, day: date) -> None:
    names = batch.shape.columns
    columns = ", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in names)
    database.execute(f"create table if not exists {table} (entry_id INTEGER PRIMARY KEY, {columns})")
    if not batch.rows:
        return
    marks = ", ".join("?" * len(names))
    # The first entry of a day has the day in its number, and SQLite counts on from there.
    first = int(f"{day:%Y%m%d}") * 1_000_000 + 1
    database.execute(f"insert into {table} values (?, {marks})", [first, *batch.rows[0]])
    database.executemany(f"insert into {table} ({', '.join(names)}) values ({marks})", batch.rows[1:])
