"""Macros that read what people and machines type, against texts of every form that a source may send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.dbt_project.raw_warehouse import run_dbt

# Each macro that is called, with its texts and what it makes of them.
Expected = Mapping[str, Mapping[str, str | None]]

CALLS: Expected = {
    "cast_or_null('typed', 'timestamp')": {
        "2026-06-01T08:12:33+02:00": "2026-06-01 06:12:33",
        "2026-06-01T08:12:33.5-0530": "2026-06-01 13:42:33.5",
        " 2026-06-01 00:30:00+02 ": "2026-05-31 22:30:00",
        "2026-06-01T08:12:33Z": "2026-06-01 08:12:33",
        "2026-06-01 08:12:33": "2026-06-01 08:12:33",
        "2026-06-01": "2026-06-01 00:00:00",
        "2026-02-30T08:12:33+02:00": None,
        "yesterday": None,
        "": None,
    },
    "date_from_formats('typed', ['%Y-%m-%d', '%d-%b-%y', '%d/%m/%y', '%d/%m/%Y'])": {
        "2006-06-02": "2006-06-02",
        "2-Jun-06": "2006-06-02",
        "2-JUN-06": "2006-06-02",
        " 02/06/2006": "2006-06-02",
        "2/6/06": "2006-06-02",
        "31/02/2006": None,
        "Date Not Captured": None,
        "": None,
    },
    "identifier('typed')": {"P1": "P1", " P2 ": "P2", "p3": "p3", "  ": None, "": None},
    # 0.9 to 2.1 is 1.2 seconds, though two of them begin in between.
    "seconds_between(\"timestamp '2024-01-01 00:00:00.9'\", 'cast(typed as timestamp)')": {
        "2024-01-01 00:00:02.1": "1",
        "2024-01-01 00:00:00.9": "0",
        "2024-01-02 00:00:00.9": "86400",
    },
    # In 2024 summer began on 31 March, 01:00 UTC, in Berlin; in 1992 it ended on 25 October in Chicago.
    "local_date('cast(typed as timestamp)', 'Europe/Berlin')": {
        "2024-01-31 22:59:59": "2024-01-31",
        "2024-01-31 23:00:00": "2024-02-01",
        "2024-03-31 00:59:59": "2024-03-31",
        "2024-03-31 21:59:59": "2024-03-31",
        "2024-03-31 22:00:00": "2024-04-01",
    },
    "local_date('cast(typed as timestamp)', 'America/Chicago')": {
        "1992-10-25 04:59:59": "1992-10-24",
        "1992-10-25 05:00:00": "1992-10-25",
        "1992-10-26 05:59:59": "1992-10-25",
        "1992-10-26 06:00:00": "1992-10-26",
    },
    "local_date('cast(typed as timestamp)', 'Asia/Kolkata')": {"2024-06-30 18:30:00": "2024-07-01"},
    "local_date('cast(typed as timestamp)', 'UTC')": {"2024-06-30 23:59:59": "2024-06-30"},
    # From 60 degrees north, 10 east: as far east as half of 111.195 km, and due north by the whole.
    "cast_or_null(kilometres_between('60', '10', '60', cast_or_null('typed', 'double')), 'numeric(18,1)')": {
        "11": "55.6",
        "10": "0.0",
        "nowhere": "0.0",
    },
    "cast_or_null(kilometres_between('60', '10', cast_or_null('typed', 'double'), '10'), 'numeric(18,3)')": {
        "61": "111.195",
    },
}


@pytest.fixture(scope="module")
def found(home: Path) -> dict[str, dict[str, str | None]]:
    """What each call gives on a machine whose clock is not in UTC; one start of dbt for all of them."""
    selects = [
        f"select {call} as call, typed, cast({{{{ {macro} }}}} as varchar) as result from (select '{text}' as typed)"
        for call, (macro, texts) in enumerate(CALLS.items())
        for text in texts
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/Chicago")
        sql = " union all ".join(selects)
        done = run_dbt(["show", "--quiet", "--output", "json", "--limit", "-1", "--inline", sql], home)
    assert done.returncode == 0, done.stdout + done.stderr
    results: dict[str, dict[str, str | None]] = {macro: {} for macro in CALLS}
    for row in json.loads(done.stdout)["show"]:
        results[list(CALLS)[row["call"]]][row["typed"]] = row["result"]
    return results


@pytest.mark.parametrize("macro", CALLS, ids=lambda call: call.split("(")[0])
def test_a_macro_reads_every_form_of_a_value_and_nothing_else(
    macro: str, found: dict[str, dict[str, str | None]]
) -> None:
    assert found[macro] == CALLS[macro]
