"""Runs every benchmark of this folder, or those named: `python -m benchmarks landing`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main() -> None:
    """Runs the benchmarks named on the command line, or all."""
    found = sorted(item.name for item in pkgutil.iter_modules(benchmarks.__path__) if item.name != "__main__")
    unknown = sorted(set(sys.argv[1:]) - set(found))
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}. Choose from: {', '.join(found)}.")
    for name in sys.argv[1:] or found:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


main()
