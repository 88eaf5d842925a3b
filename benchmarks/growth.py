"""How a run grows with the company: processor time and peak memory of each step at three sizes, as ratios to the least.

Linux only: the kernel tells how much memory a process has held at most since it was last asked to forget that. The time
of the processor, because it tells more than the clock where other work goes on.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from orchestration import settings

SCALES = (0.1, 0.3, 1.0)
AS_OF = "2026-06-30"

_STEP = re.compile(r"✓ (.+?) {2,}(.*?) +[\d.]+ s")
# Steps under one name: those of the feeds are one step of a day.
_TOGETHER = re.compile(r"(land and gate) .*")
# They do the same work at every size, or work that only the simulation asks for.
_LEFT_OUT = ("read the definitions", "open the run", "advance the simulated company", "dbt docs")


@dataclass
class Cost:
    """What a step has taken."""

    seconds: float = 0.0
    megabytes: float = 0.0


def main() -> None:
    """Prints a row for each step: what it takes at the smallest size, and how many times that at the others."""
    found = {}
    for scale in SCALES:
        found[scale], rows = _run(scale)
        print(f"size {scale:g}: {rows:,} rows landed", flush=True)
    first, *others = SCALES
    more = "".join(f"{f'x {scale:g}':>8}" for scale in others)
    print(f"{'step':<34}{f's at {first:g}':>10}{more}{'power':>8}   {f'MB at {first:g}':>10}{more}{'power':>8}")
    for step, small in found[first].items():
        large = [found[scale][step] for scale in others]
        seconds = [cost.seconds / max(small.seconds, 0.1) for cost in large]
        memory = [cost.megabytes / small.megabytes for cost in large]
        print(f"{step:<34}{small.seconds:>10.1f}{_row(seconds)}   {small.megabytes:>10.0f}{_row(memory)}")


def _row(ratios: list[float]) -> str:
    """The ratios, and the power of the size that the largest amounts to: 1 = in proportion, 0 = no growth."""
    power = math.log(ratios[-1]) / math.log(SCALES[-1] / SCALES[0]) if ratios[-1] > 0 else math.nan
    return "".join(f"{ratio:>8.2f}" for ratio in ratios) + f"{power:>8.2f}"


def _run(scale: float) -> tuple[dict[str, Cost], int]:
    """A first run of a company of this size, in a process and a folder of its own."""
    costs: dict[str, Cost] = defaultdict(Cost)
    rows = 0
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as home:
        code = "from orchestration.cli import main; main()"
        command = [sys.executable, "-u", "-c", code, "run", "--scale", str(scale), "--as-of", AS_OF]
        environment = os.environ | settings.Settings(home=Path(home)).child_environment
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            before = 0.0
            for line in process.stdout or ():
                step = _STEP.match(line)
                if step is None:
                    continue
                # Between two steps, so what the next one starts with counts as its own.
                now, held = _processor(process.pid), _peak(process.pid)
                if not step[1].startswith(_LEFT_OUT):
                    cost = costs[_TOGETHER.sub(r"\1", step[1])]
                    cost.seconds += now - before
                    cost.megabytes = max(cost.megabytes, held)
                    landed = re.match(r"([\d,]+) new rows", step[2])
                    rows += int(landed[1].replace(",", "")) if landed else 0
                before = now
    if process.returncode:
        raise RuntimeError(f"The run at size {scale:g} has failed.")
    return costs, rows


def _processor(process: int) -> float:
    """The seconds that a process has spent on processors, in all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> float:
    """The most memory that a process has held since the last call, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    Path(f"/proc/{process}/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else math.nan
