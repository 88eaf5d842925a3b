"""Rows to measure errors on before the final fit: later than all that the first fit sees, as the future will be."""

import numpy as np
import numpy.typing as npt

Dates = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]


def latest_origins(origin: Dates, target: Dates, count: int) -> tuple[Mask, Mask]:
    """Rows to fit on and rows of the latest `count` origins; no target of the first is after an origin of the second.

    Fewer origins are held out while that would leave less to fit on than is held out. Where not even one can be spared,
    the last fifth of the target dates is held out; with a single target date there is nothing to fit on.
    """
    latest = np.unique(origin)[::-1]
    for number in range(min(count, len(latest)), 0, -1):
        fit, held = target <= latest[number - 1], origin >= latest[number - 1]
        if fit.sum() >= held.sum():
            return fit, held
    days = np.unique(target)
    fit = target < days[len(days) - -(-len(days) // 5)]
    return fit, ~fit
