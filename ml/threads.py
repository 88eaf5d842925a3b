"""How many cores boosting takes: few rows are learned sooner by one than by several that wait for each other."""

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

# Threads wait for each other at every split, spinning: beside one busy process two of them took 33 s for what one did
# in 13 s. One core learns this many rows in about 7 s.
ROWS_FOR_THREADS = 500_000


def threads_for(rows: int) -> AbstractContextManager[object]:
    """Holds scikit-learn to one core within a `with`, unless the rows are many."""
    held: AbstractContextManager[object] = threadpool_limits(1 if rows < ROWS_FOR_THREADS else None, user_api="openmp")
    return held
