"""A company whose demand turns on day 45: how soon that is noticed, and what a new version makes of it.

Its three minutes of processor time are too many for `make test`.
"""

from __future__ import annotations

import subprocess
import sys

from orchestration.settings import REPOSITORY


def main() -> None:
    """Lives through the story; what is not as told ends it."""
    command = [sys.executable, "-m", "pytest", "-v", "--durations=0", "tests/e2e/story.py"]
    done = subprocess.run(command, cwd=REPOSITORY, check=False)
    if done.returncode:
        sys.exit(done.returncode)
