"""How well customer records are resolved, on data sets whose truth is known; the truth scores and does nothing else."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration import identities
from orchestration.settings import REPOSITORY

if TYPE_CHECKING:
    import pyarrow as pa

DATA_SETS = {
    "3 (duplicates)": ("dataset3.csv",),
    "4 (two sources)": ("dataset4a.csv", "dataset4b.csv"),
}
FEBRL_COLUMNS = (
    "rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state",
    "date_of_birth", "soc_sec_id",
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """Pairs of records of one person, as they are and as they were found."""

    true: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Share of the pairs found that are right."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were found."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def main() -> None:
    """Prints pairwise precision, recall and F1 of the Febrl data sets."""
    shared = Path(os.environ.get("CATALYST_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    folder = shared / "febrl"
    if not folder.is_dir():
        print(f"left out: there is no folder {folder}; CATALYST_SHARED_DATA names the one that holds febrl/")
        return
    heads = f"{'febrl':<17}{'records':>9}{'true pairs':>12}{'found':>8}{'precision':>11}{'recall':>9}{'F1':>8}"
    print(f"{heads}{'seconds':>9}")
    for name, files in DATA_SETS.items():
        records = febrl([folder / file for file in files])
        start = time.perf_counter()
        found = identities.resolve(records)
        seconds = time.perf_counter() - start
        score = febrl_score(found.customers)
        print(
            f"{name:<17}{records.num_rows:>9,}{score.true:>12,}{score.found:>8,}{score.precision:>11.4f}"
            f"{score.recall:>9.4f}{score.f1:>8.4f}{seconds:>9.1f}",
            flush=True,
        )


def febrl(files: list[Path]) -> pa.Table:
    """Reads Febrl files as records of customers, one source a file."""
    columns = ", ".join(f"{name}: 'varchar'" for name in FEBRL_COLUMNS)
    with duckdb.connect() as connection:
        return connection.execute(
            f"""
            select trim(rec_id) as record_id, parse_filename(filename) as source_name,
                trim(rec_id) as source_customer_id, false as is_register, cast(null as timestamp) as first_known_at,
                given_name, surname as family_name, date_of_birth as birth_date, soc_sec_id as national_id,
                concat_ws(' ', nullif(trim(street_number), ''), trim(address_1)) as street, postcode as postal_code,
                suburb as city
            from read_csv(?, auto_detect = false, delim = ',', header = true, filename = true, columns = {{{columns}}})
            """,
            [[str(file) for file in files]],
        ).to_arrow_table()


def febrl_score(customers: pa.Table) -> Score:
    """Scores customers against the truth, which records bear in their names: rec-<person>-org, rec-<person>-dup-<n>."""
    people = [record_id.split("-")[1] for record_id in customers["record_id"].to_pylist()]
    return score(people, customers["customer_id"].to_pylist())


def score(people: list[str], customers: list[str]) -> Score:
    """Counts the pairs of records that are of one person, of one customer, and of both."""
    return Score(*(_pairs(group) for group in (people, customers, list(zip(people, customers, strict=True)))))


def _pairs(groups: list[str] | list[tuple[str, str]]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())
