"""Series whose truth is known, and the feature frame of demand_forecast built from them without a warehouse.

The frame follows the columns and the point-in-time rules of feature_store.demand_forecast_features: every feature of a
row comes from days up to its origin, calendar and planned price or promotion excepted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

HOLIDAYS = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})


@dataclass(frozen=True)
class Panel:
    """Daily units, charged price and planned discount, days by series."""

    dates: pd.DatetimeIndex
    store_id: Sequence[str]
    product_id: Sequence[str]
    category: Sequence[str]
    units: Floats
    price: Floats
    discount: Floats


def simulate_panel(
    days: int = 500,
    stores: int = 2,
    products: int = 15,
    mean_units: tuple[float, float] = (2.0, 30.0),
    promotion_uplift: float = 1.8,
    weekend_uplift: float = 1.6,
    elasticity: float = -1.2,
    seed: int = 7,
) -> Panel:
    """Draw Poisson demand with effects of weekday, season, price and promotion."""
    random = np.random.default_rng(seed)
    dates = pd.date_range("2024-01-01", periods=days, freq="D")
    series = stores * products
    base = np.exp(random.uniform(np.log(mean_units[0]), np.log(mean_units[1]), size=series))
    weekday = np.where(np.asarray(dates.dayofweek) >= 5, weekend_uplift, 1.0)
    phase = random.uniform(0, 2 * np.pi, size=series)
    season = 1 + 0.3 * np.sin(2 * np.pi * np.asarray(dates.dayofyear)[:, None] / 365.25 + phase)
    list_price = np.repeat(random.uniform(2, 40, size=products)[None, :], stores, axis=0).ravel()
    discount = np.zeros((days, series))
    for start in range(0, days, 14):  # each fortnight a tenth of the series is on promotion for a week
        chosen = random.random(series) < 0.1
        discount[start : start + 7, chosen] = 0.2
    step = np.where(np.arange(days)[:, None] >= random.integers(100, max(days, 101), size=series), 1.1, 1.0)
    price = list_price * step * (1 - discount)
    mean = base * weekday[:, None] * season * step**elasticity * np.where(discount > 0, promotion_uplift, 1.0)
    return Panel(
        dates=dates,
        store_id=[f"S{s + 1:02d}" for s in range(stores) for _ in range(products)],
        product_id=[f"P{p + 1:04d}" for _ in range(stores) for p in range(products)],
        category=["Toys" if p % 2 else "Home" for _ in range(stores) for p in range(products)],
        units=random.poisson(mean).astype(np.float64),
        price=price,
        discount=discount,
    )


def feature_frame(panel: Panel, origins: Iterable[int], last_day: int, share: int = 1) -> pd.DataFrame:
    """Rows of every series for origins and horizons 1..30 whose target is not after last_day; day indexes, not dates.

    With share = 3 an origin takes a third of the horizons, as the training rows do.
    """
    units = panel.units
    sums = np.vstack([np.zeros(units.shape[1]), np.cumsum(units, axis=0)])
    sold = units > 0
    first = np.where(sold.any(axis=0), sold.argmax(axis=0), len(units))
    parts = []
    for number, origin in enumerate(sorted(origins)):
        horizons = np.array([h for h in range(1, 31) if origin + h <= last_day and h % share == number % share])
        keep = np.flatnonzero(sold[max(0, origin - 363) : origin + 1].any(axis=0))
        if len(horizons) and len(keep):
            parts.append(_origin_rows(panel, sums, first, origin, horizons, keep))
    return pd.concat(parts, ignore_index=True)


def _mean(sums: Floats, first: int, last: int, count: Floats | float | None = None) -> Floats:
    first = max(first, 0)
    total: Floats = sums[last + 1] - sums[first]
    return total / (last + 1 - first if count is None else count)


def _origin_rows(
    panel: Panel,
    sums: Floats,
    first: npt.NDArray[np.int64],
    o: int,
    horizons: npt.NDArray[np.int64],
    keep: npt.NDArray[np.int64],
) -> pd.DataFrame:
    units = panel.units
    level = _mean(sums, o - 55, o, np.clip(o + 1 - np.maximum(first, o - 55), 1, 56).astype(np.float64))
    names = pd.DataFrame({"store_id": panel.store_id, "product_id": panel.product_id, "category": panel.category})
    age = o - np.where(units[: o + 1] > 0, np.arange(o + 1)[:, None], -1).max(axis=0)
    week, known = pd.Series(_mean(sums, o - 6, o)), pd.Series(level)
    charged = np.nanmean(panel.price[max(0, o - 55) : o + 1], axis=0)
    list_price = panel.price[o] / (1 - panel.discount[o])
    year = pd.Series(_mean(sums, o - 363, o))

    def by_category(column: pd.Series) -> pd.Series:
        return column.groupby([names["store_id"], names["category"]]).transform("sum")

    season = by_category(known) / by_category(year)
    by_series = names.assign(
        origin_date=panel.dates[o],
        level=level,
        mean_7=_mean(sums, o - 6, o),
        mean_28=_mean(sums, o - 27, o),
        mean_364=year.to_numpy(),
        year_level=(year * season).to_numpy(),
        nonzero_share_28=(units[max(0, o - 27) : o + 1] > 0).mean(axis=0),
        days_since_sale=age,
        category_mean_7=(by_category(week) / by_category(known)).to_numpy(),
        promotion_share_28=(panel.discount[max(0, o - 27) : o + 1] > 0).mean(axis=0),
    ).iloc[keep]
    return pd.concat(
        [_with_target(panel, sums, by_series, o, int(h), keep, charged, list_price) for h in horizons],
        ignore_index=True,
    )


def _with_target(
    panel: Panel,
    sums: Floats,
    by_series: pd.DataFrame,
    o: int,
    h: int,
    keep: npt.NDArray[np.int64],
    charged: Floats,
    list_price: Floats,
) -> pd.DataFrame:
    target = o + h
    date = panel.dates[0] + pd.Timedelta(days=target)
    same = list(range(target - 7 * ((h + 6) // 7), -1, -7))[:8]
    past = target - 364
    discount = panel.discount[target] if target < len(panel.dates) else np.zeros(panel.units.shape[1])
    price = list_price * (1 - discount)
    around = [date + pd.Timedelta(days=d) for d in range(31)]
    return by_series.assign(
        target_date=date,
        horizon=h,
        units=panel.units[target][keep] if target < len(panel.dates) else np.nan,
        weekday_mean=panel.units[same].mean(axis=0)[keep],
        seasonal_naive=panel.units[same[0]][keep],
        yearly_mean=_mean(sums, past - 3, past + 3)[keep] if past >= 3 else np.nan,
        weekday=date.isoweekday(),
        day_of_month=date.day,
        week_of_year=date.isocalendar().week,
        is_holiday=(date.month, date.day) in HOLIDAYS,
        days_to_holiday=next((n for n, d in enumerate(around) if (d.month, d.day) in HOLIDAYS), 30),
        price=price[keep],
        price_ratio=(price / charged)[keep],
        discount_rate=discount[keep],
    )
