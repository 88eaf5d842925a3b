"""Text categories as codes fixed at training; a value that was unknown then stays unknown and shifts no code."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd


def known_values(column: pd.Series, most: int) -> tuple[str, ...]:
    """The values of the column in alphabetical order; of more than `most`, the most frequent ones."""
    by_count = sorted((-count, str(value)) for value, count in column.value_counts().items())
    return tuple(sorted(value for _, value in by_count[:most]))


def codes(column: pd.Series, known: Sequence[str]) -> npt.NDArray[np.float32]:
    """The position of each value in `known`; NaN for a null and for any other value."""
    numbers, values = pd.factorize(column)
    position = {value: float(code) for code, value in enumerate(known)}
    # The last place is that of the null, which factorize numbers -1.
    return np.array([*(position.get(str(value), np.nan) for value in values), np.nan], dtype=np.float32)[numbers]
