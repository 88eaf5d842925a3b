"""The identity of the simulated company, from which every number of it follows.

All randomness comes from generators keyed by (seed, name of a stream, numbers such as a day), never from one generator
that is passed along: so any day, past or future, can be generated alone and equals the same day of a full run.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike, NDArray

from orchestration.errors import CatalystError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# People join and subscriptions start in equal blocks of days; ten blocks make the first two years.
BLOCK_DAYS = 73
CUSTOMERS_PER_BLOCK = 600
SUBSCRIPTIONS_PER_BLOCK = 300
HISTORY_DAYS = 730


@dataclass(frozen=True)
class Regime:
    """A turn that demand takes, at once and for good.

    Attributes:
        since: Its first day.
        factors: What it multiplies demand by, in each category that it touches.
    """

    since: date
    factors: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Company:
    """One simulated company; two of them with equal fields are the same company on every day.

    Attributes:
        opened: First day of business.
        seed: Picks one company out of many.
        scale: Multiplies demand, customers and subscriptions; products, stores and suppliers stay.
        regime: A turn of demand; none by itself.
    """

    opened: date
    seed: int = 7
    scale: float = 1.0
    regime: Regime | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise CatalystError(f"The simulated company cannot have scale {self.scale}: give a number above 0.")
        if self.seed < 0:
            raise CatalystError(f"The simulated company cannot have seed {self.seed}: give a whole number from 0 up.")

    def day(self, t: int) -> date:
        """Returns the date of day number `t`; day 0 is the opening."""
        return self.opened + timedelta(days=t)

    def t(self, day: date) -> int:
        """Returns the number of a date, 0 at the opening.

        Raises:
            CatalystError: The date lies before the opening.
        """
        if day < self.opened:
            raise CatalystError(
                f"The simulated company opened on {self.opened}, so it has no {day}: ask for that day or a later one."
            )
        return (day - self.opened).days

    def rng(self, stream: str, *keys: int) -> np.random.Generator:
        """Returns the generator of a stream; equal arguments give equal numbers, whatever was drawn before."""
        key = _Key("/".join(map(str, (self.seed, stream, *keys))))
        # numpy documents such keys (ISeedSequence), only its type stubs do not know them.
        return np.random.Generator(np.random.SFC64(key))  # type: ignore[arg-type]


class _Key(ISeedSequence):
    """The state of a stream's generator as a hash of its key; numpy's own way takes six times as long."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32) -> NDArray[np.uint32 | np.uint64]:
        """Returns the words that a bit generator asks for."""
        size = n_words * np.dtype(dtype).itemsize
        return np.frombuffer(hashlib.blake2b(self._key, digest_size=size).digest(), dtype=dtype)


def block_size(per_block: int, scale: float, block: int) -> int:
    """Returns how many of `per_block * scale` a block gets, so that fractions add up over the blocks."""
    return math.floor(per_block * scale * (block + 1)) - math.floor(per_block * scale * block)


def month_number(day: date) -> int:
    """Returns the months since year 0, by which monthly streams are keyed."""
    return day.year * 12 + day.month - 1


def first_of_month(number: int) -> date:
    """Returns the first day of a month given by `month_number`."""
    return date(number // 12, number % 12 + 1, 1)
