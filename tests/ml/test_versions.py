"""Versions tell apart what differs and nothing else."""

import numpy as np

from ml.versions import digest


def test_a_version_is_known_in_advance_because_no_process_or_machine_is_part_of_it() -> None:
    assert digest({"max_iter": 50, "seed": 0}, [np.arange(3, dtype=np.int64)]) == "eaeb111ab8a0"


def test_the_order_of_parameters_is_no_difference_but_values_types_and_shapes_are() -> None:
    numbers = np.arange(4, dtype=np.int64)
    assert digest({"a": 1, "b": 2}, [numbers]) == digest({"b": 2, "a": 1}, [numbers])
    others = [numbers + 1, numbers.astype(np.float64), numbers.reshape(2, 2), numbers[:3]]
    assert len({digest({"a": 1}, [array]) for array in (numbers, *others)}) == 5
    assert digest({"a": 1}, [numbers[:2], numbers[2:]]) != digest({"a": 1}, [numbers[:1], numbers[1:]])


def test_a_view_of_an_array_has_the_version_of_its_copy() -> None:
    table = np.arange(6.0).reshape(2, 3)
    assert digest(None, [table.T]) == digest(None, [table.T.copy()])


def test_dates_count() -> None:
    days = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]")
    assert digest(None, [days]) != digest(None, [days + np.timedelta64(1, "D")])
