"""Everything from raw feeds to decisions on BigQuery and on DuckDB: whether each table has the same rows.

Seven minutes of processor time are too many for `make test`, which builds the dbt project alone on both.
"""

from __future__ import annotations

import os
import subprocess
import sys

from orchestration.settings import REPOSITORY


def main() -> None:
    """Runs the comparison; a table that differs ends it with the rows that do."""
    command = [sys.executable, "-m", "pytest", "-v", "--durations=0", "tests/e2e/on_bigquery.py"]
    done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "CATALYST_REQUIRE_ALL": "1"}, check=False)
    if done.returncode:
        sys.exit(done.returncode)
