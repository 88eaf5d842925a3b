"""Category codes that new data can't shift."""

import numpy as np
import pandas as pd

from ml.encoding import codes, known_values


def test_codes_follow_the_known_values_whatever_order_the_column_has() -> None:
    assert codes(pd.Series(["b", "a", "b"]), ("a", "b")).tolist() == [1.0, 0.0, 1.0]


def test_new_values_and_nulls_have_no_code() -> None:
    assert np.isnan(codes(pd.Series(["new", None, "a"]), ("a", "b"))).tolist() == [True, True, False]
    assert np.isnan(codes(pd.Series([None, None], dtype=object), ("a",))).all()


def test_text_numbers_and_warehouse_types_of_the_same_values_have_the_same_codes() -> None:
    known = known_values(pd.Series(["2", "1"]), 10)
    for column in (pd.Series([2, 1]), pd.Series(["2", "1"], dtype="category"), pd.Series(["2", "1"], dtype="string")):
        assert codes(column, known).tolist() == [1.0, 0.0]


def test_the_most_frequent_values_are_known_and_ties_fall_to_the_first_in_the_alphabet() -> None:
    assert known_values(pd.Series(["c", "b", "b", "a", None]), 2) == ("a", "b")
