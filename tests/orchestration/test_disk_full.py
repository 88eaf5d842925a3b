"""A disk without room ends the gate with a sentence, and the same command later gives the undisturbed result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.contracts import Feed
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.settings import REPOSITORY
from orchestration.warehouse import Warehouse
from tests.conftest import Requires
from tests.orchestration.conftest import MakeFeed, column

ROWS = 60_000

# The limit on the size of a file stands in for a full disk: both refuse a write in the middle.
_FILL = """
import resource, sys
from pathlib import Path
from orchestration import settings
from orchestration.contracts import read_feed
from orchestration.errors import CatalystError
from orchestration.gate import gate
from orchestration.warehouse import Warehouse
settings.load()
room = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    gate(read_feed(Path(sys.argv[1])), Warehouse(Path(sys.argv[2])))
except CatalystError as error:
    sys.exit(f"told: {error}")
"""


@pytest.fixture
def feed(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path, requires: Requires) -> Feed:
    requires(os.name == "posix", "Only POSIX limits the size of a file.")
    (tmp_path / "in").mkdir()
    # Values that no compression makes small, in rows of which every second is broken.
    lines = (f"{n},{hash((n, 'salt')) & 0xFFFFFFFFFFFFFFFF:016x}{n * 2654435761 % 2**64:016x}" for n in range(ROWS))
    (tmp_path / "in/1.csv").write_text("id,code\n" + "\n".join(lines) + "\n")
    server = {"type": "local", "path": f"{tmp_path}/in/*.csv", "format": "csv"}
    made = make_feed(
        "codes", server, [column("id", primaryKey=True), column("code", logicalTypeOptions={"pattern": "[02468ace]$"})]
    )
    warehouse.prepare([made])
    return made


def _without_room(feed: Feed, warehouse: Warehouse) -> str:
    """Gates with room for half a megabyte more than the warehouse has now; returns what is said."""
    room = warehouse.path.stat().st_size + 500_000
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(feed.path), str(warehouse.path), str(room)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr.splitlines()[-1]


def test_a_gate_on_a_full_disk_says_so_and_the_next_one_marks_every_broken_row(
    feed: Feed, warehouse: Warehouse
) -> None:
    land(feed, warehouse)
    assert _without_room(feed, warehouse).startswith("told: The warehouse")
    gated = gate(feed, warehouse)
    assert gated.landed == ROWS
    assert gated.quarantined + gated.accepted == ROWS
    check_balance(feed, warehouse)
