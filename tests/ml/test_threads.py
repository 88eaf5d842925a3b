"""The cores that boosting is held to, as scikit-learn's own thread pool tells them."""

import pytest
import sklearn.ensemble  # noqa: F401 - brings the pool along
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from ml.threads import ROWS_FOR_THREADS, threads_for


def cores() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"]


@pytest.mark.parametrize(("rows", "is_held"), [(ROWS_FOR_THREADS - 1, True), (ROWS_FOR_THREADS, False)])
def test_few_rows_take_one_core_and_many_take_all_of_them(rows: int, is_held: bool) -> None:
    before = cores()
    assert before
    with threads_for(rows):
        assert cores() == ([1] * len(before) if is_held else before)
    assert cores() == before
