"""Errors of the learning code, which knows nothing of orchestration: a caller turns them into its own family."""

import pandas as pd


class ModelInputError(ValueError):
    """A frame or parameters that a model can't use: one sentence of what, where and what to do.

    Attributes:
        rows: the offending rows with a column `reason`, where the error is about rows.
    """

    def __init__(self, message: str, rows: pd.DataFrame | None = None) -> None:
        super().__init__(message)
        self.rows = rows


class TooFewRowsError(ModelInputError):
    """There is nothing to learn yet: nothing is wrong with the rows, and more of them will do."""
