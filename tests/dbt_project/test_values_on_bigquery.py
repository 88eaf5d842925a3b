"""Whatever the gate takes for a value, staging reads as that value on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt_project.raw_warehouse import run_dbt
from tests.orchestration.test_values import VALUES
from tests.parts import bigquery_dbt
from tests.parts.bigquery import Project

# What staging reads each logical type as.
TYPES = {
    "integer": ("bigint", "numeric(18,4)"),
    "number": ("double", "numeric(18,4)"),
    "date": ("date",),
    "timestamp": ("timestamp",),
    "boolean": ("boolean",),
}
READ = sorted({kind for kinds in TYPES.values() for kind in kinds})
TEXTS = [text for texts in VALUES.values() for text in texts]
SELECT = "select typed, " + ", ".join(
    f"{{{{ cast_or_null('typed', '{kind}') }}}} as value_{number}" for number, kind in enumerate(READ)
)
# By text, then by type.
Found = dict[str, dict[str, Any]]


def _found(rows: Iterator[tuple[Any, ...]]) -> Found:
    return {
        text: {
            kind: value.replace(tzinfo=None) if isinstance(value, datetime) else value
            for kind, value in zip(READ, values, strict=True)
        }
        for text, *values in rows
    }


@pytest.fixture(scope="module")
def found(_bigquery_server: str, home: Path) -> dict[str, Found]:
    """What each text is read as on each engine, by the SQL that dbt compiles for it."""
    # That of the other tests, for which dbt has parsed the models already.
    project = Project("parity", _bigquery_server)
    command = ("compile", "--quiet", "--inline", SELECT)
    texts = list(dict.fromkeys(TEXTS))
    on_duckdb, on_bigquery = run_dbt(command, home), bigquery_dbt.build(project, home, *command)
    assert not on_duckdb.returncode, on_duckdb.stdout + on_duckdb.stderr
    assert not on_bigquery.returncode, on_bigquery.stdout + on_bigquery.stderr
    with duckdb.connect() as connection:
        sql = f"{on_duckdb.stdout} from (select unnest(?) as typed)"
        here = _found(iter(connection.execute(sql, [texts]).fetchall()))
    from google.cloud import bigquery

    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ArrayQueryParameter("texts", "STRING", texts)])
    with closing(project.client()) as client:
        rows = client.query_and_wait(f"{on_bigquery.stdout} from unnest(@texts) as typed", job_config=config)
        return {"duckdb": here, "bigquery": _found(row.values() for row in rows)}


@pytest.mark.parametrize("engine", ["duckdb", "bigquery"])
@pytest.mark.parametrize("logical_type", VALUES)
def test_a_value_is_read_as_what_it_is(logical_type: str, engine: str, found: dict[str, Found]) -> None:
    for kind in TYPES[logical_type]:
        read = {text: found[engine][text][kind] for text in VALUES[logical_type]}
        expected: dict[str, Any] = VALUES[logical_type]
        if kind.startswith("numeric"):
            # Whose integral digits are fourteen.
            expected = {text: Decimal(str(value)) for text, value in expected.items() if abs(value) < 10**14}
            read = {text: read[text] for text in expected}
        assert read == expected
