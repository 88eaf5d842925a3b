"""What every model asks of its input frame, so that a wrong frame is refused by name instead of learned from."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.errors import ModelInputError

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def require_columns(frame: pd.DataFrame, columns: Iterable[str], where: str) -> None:
    """Raise ModelInputError that names every missing column."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ModelInputError(f"{where}: the frame lacks {', '.join(missing)}; select these columns too")


def numbers(column: pd.Series, where: str) -> Floats32:
    """A column as float32 with NaN for null and for infinite, which is what a division by zero in a warehouse leaves.

    Raises:
        ModelInputError: where the column holds something that is no number.
    """
    try:
        values = column.to_numpy(dtype=np.float32, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ModelInputError(f"{where}: column {column.name} is not numeric; cast it in the feature model") from error
    infinite = np.isinf(values)
    return np.where(infinite, np.float32(np.nan), values) if infinite.any() else values


def floats(column: "pd.Series[float]") -> Floats:
    """A column of numbers as float64 with NaN for null."""
    return np.asarray(column.to_numpy(na_value=np.nan), dtype=np.float64)


def marked(frame: pd.DataFrame, faults: Mapping[str, Mask]) -> pd.DataFrame:
    """The rows with at least one fault, and a column `reason` with all of theirs."""
    any_fault = np.logical_or.reduce(list(faults.values()))
    bad = frame.loc[any_fault].copy()
    reasons = {name: mask[any_fault] for name, mask in faults.items()}
    bad["reason"] = ["; ".join(n for n, mask in reasons.items() if mask[row]) for row in range(len(bad))]
    return bad


def refuse(rows: pd.DataFrame, entity: Sequence[str], where: str) -> None:
    """Raise ModelInputError that carries the rows of `marked` and names the first by its entity; none, no error."""
    if rows.empty:
        return
    first = rows.iloc[0]
    named = ", ".join(f"{column} {first[column]}" for column in entity)
    raise ModelInputError(
        f"{where}: {len(rows)} unusable rows, the first of {named}: {first['reason']}; "
        "correct the feature model or leave them out",
        rows,
    )
