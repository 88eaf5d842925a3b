"""Which features a model lives on: how much its error grows when the values of one are shuffled among the rows."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

ROWS = 4_000


def importance(
    frame: pd.DataFrame, features: Sequence[str], entity: Sequence[str], loss: Callable[[pd.DataFrame], float]
) -> dict[str, float]:
    """Relative growth of the loss by feature, the largest first: 0.1 is a tenth more; about 0 for a useless one."""
    random = np.random.default_rng(0)
    most = min(ROWS, len(frame))
    sample = frame.iloc[np.sort(random.choice(len(frame), most, replace=False))].reset_index(drop=True)
    # A shuffled key would meet itself; what is no feature may be any name.
    names = {column: [str(number) for number in range(most)] for column in entity if column not in features}
    sample = sample.assign(**names)
    whole = loss(sample)
    if not whole > 0:
        return dict.fromkeys(features, 0.0)
    order = random.permutation(most)
    grown = {name: loss(sample.assign(**{name: sample[name].to_numpy()[order]})) / whole - 1 for name in features}
    return dict(sorted(grown.items(), key=lambda item: (-item[1], item[0])))
