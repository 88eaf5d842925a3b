"""Wrong frames are refused by name."""

import numpy as np
import pandas as pd
import pytest

from ml.errors import ModelInputError
from ml.frames import marked, numbers, refuse, require_columns


def test_every_missing_column_is_named() -> None:
    frame = pd.DataFrame({"price": [1.0]})
    with pytest.raises(ModelInputError, match=r"train: the frame lacks level, units;"):
        require_columns(frame, ["level", "price", "units"], "train")


def test_numbers_read_booleans_nullable_integers_and_infinities() -> None:
    assert numbers(pd.Series([True, False]), "x").tolist() == [1.0, 0.0]
    assert np.isnan(numbers(pd.Series([3, None], dtype="Int64"), "x")).tolist() == [False, True]
    assert np.isnan(numbers(pd.Series([np.inf, -np.inf, 2.0]), "x")).tolist() == [True, True, False]


def test_numbers_name_the_column_that_holds_text() -> None:
    with pytest.raises(ModelInputError, match="column price is not numeric"):
        numbers(pd.Series(["cheap"], name="price"), "train")


def test_marked_rows_tell_all_their_faults_and_leave_the_frame_as_it_was() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=[7, 8, 9])
    rows = marked(frame, {"is odd": frame["a"].to_numpy() % 2 == 1, "is large": frame["a"].to_numpy() > 2})
    assert rows.index.tolist() == [7, 9]
    assert rows["reason"].tolist() == ["is odd", "is odd; is large"]
    assert frame.columns.tolist() == ["a"]


def test_refuse_carries_the_rows_and_describes_the_first_one() -> None:
    rows = pd.DataFrame({"store_id": ["S01"], "reason": ["level is null"]})
    with pytest.raises(
        ModelInputError, match=r"train: 1 unusable rows, the first of store_id S01: level is null;"
    ) as error:
        refuse(rows, ["store_id"], "train")
    assert error.value.rows is rows
    refuse(rows.iloc[:0], ["store_id"], "train")
