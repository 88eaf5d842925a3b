"""What is true of the simulated company, written where the pipeline never looks, so that its answers can be marked."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.demo import customers, seasons, subscriptions
from orchestration.demo.baskets import affinities
from orchestration.demo.catalogue import LOCATION_IDS, PRODUCT_IDS, SUPPLIER_IDS, products, suppliers
from orchestration.demo.categories import CATEGORIES, NAMES, UNKNOWN
from orchestration.demo.company import Company, first_of_month, month_number
from orchestration.demo.demand import DISPERSION
from orchestration.demo.mess import BadRow
from orchestration.demo.recurring import mrr_on
from orchestration.demo.register import demo_folder, replace_file

_BAD_ROWS = pa.schema(
    [
        ("feed", pa.string()),
        ("day", pa.date32()),
        ("key", pa.string()),
        ("rules", pa.string()),
        ("row", pa.string()),
    ]
)
# Holidays are listed beyond the last day, as far as anybody forecasts.
_AHEAD = timedelta(days=90)


def truth_folder(home: Path) -> Path:
    """Returns the folder of the truth."""
    return demo_folder(home) / "truth"


def write_truth(home: Path, company: Company, through: date, known: date | None, bad: Sequence[BadRow]) -> None:
    """Writes truth.json and bad_rows.parquet as of a day.

    Args:
        home: Home of the company.
        company: The company.
        through: The last day that its systems hold.
        known: Last day whose bad rows the file already holds, if any.
        bad: The bad rows of the days after it.
    """
    content = json.dumps(truth(company, through), indent=2, ensure_ascii=False) + "\n"
    replace_file(truth_folder(home) / "truth.json", content.encode())
    path = truth_folder(home) / "bad_rows.parquet"
    table = pa.table([pa.array([getattr(row, f.name) for row in bad], f.type) for f in _BAD_ROWS], schema=_BAD_ROWS)
    if known is not None:
        before = pq.read_table(path, schema=_BAD_ROWS)
        before = before.filter(pc.less_equal(before["day"], pa.scalar(known, pa.date32())))
        table = pa.concat_tables([before, table]).combine_chunks()
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    replace_file(path, buffer.getvalue())


def truth(company: Company, through: date) -> dict[str, Any]:
    """Returns everything that was planted, and the recurring revenue of each month up to a day."""
    years = range(company.opened.year, (through + _AHEAD).year + 1)
    weekdays = seasons.weekday_factors()
    firms = suppliers(company)
    goods = products(company)
    return {
        "company": {"seed": company.seed, "scale": company.scale, "opened": str(company.opened)},
        "generated_through": str(through),
        "demand": {
            "formula": "units ~ negative binomial(mean, mean + dispersion * mean^2); mean = base rate * growth"
            " * weekday * yearly * holiday * (charged price / base price)^-elasticity * uplift (on promotion days)"
            " * ramp of a product introduced later; orchestration.demo.demand.mean_demand gives it by day",
            "dispersion": DISPERSION,
            "price_elasticity": {c.name: c.elasticity for c in CATEGORIES},
            "promotion_uplift": {c.name: c.uplift for c in CATEGORIES},
            "weekday_factors_from_monday": {
                channel: {name: _rounded(weekdays[i, c]) for c, name in enumerate(NAMES)}
                for i, channel in enumerate(("store", "web"))
            },
            "yearly": {c.name: {"amplitude": c.amplitude, "peak_day_of_year": c.peak_day} for c in CATEGORIES},
            "holidays": {str(day): name for year in years for day, name in sorted(seasons.holidays(year).items())},
            "holiday_effects": {
                name: {
                    "store": effect.stores,
                    "web": effect.web,
                    "categories": dict(effect.categories),
                    "run_up_days": effect.run_up_days,
                    "run_up": dict(effect.run_up),
                    "run_up_default": effect.run_up_default,
                }
                for name, effect in seasons.EFFECTS.items()
            },
            "base_price_eur": dict(zip(PRODUCT_IDS, goods.base_price.tolist(), strict=True)),
            "base_units_a_day": {
                location: dict(zip(PRODUCT_IDS, _rounded(goods.base_rate[i]), strict=True))
                for i, location in enumerate(LOCATION_IDS)
            },
        },
        "categories": {c.name: {"spellings": list(c.spellings)} for c in CATEGORIES} | {"unknown": list(UNKNOWN)},
        "returns": {c.name: c.return_share for c in CATEGORIES},
        "basket_affinities": [
            {"product_id": PRODUCT_IDS[a], "companion_id": PRODUCT_IDS[b], "share": share}
            for a, b, share in affinities(company)
        ],
        "churn": {
            "formula": "daily chance to cancel = low + (high - low) / (1 + exp(-(inactive days - middle) / width));"
            " inactive days = days since the later of the last purchase before the day and the subscription's start",
            "low": subscriptions.HAZARD_LOW,
            "high": subscriptions.HAZARD_HIGH,
            "middle_days": subscriptions.HAZARD_MIDDLE_DAYS,
            "width_days": subscriptions.HAZARD_WIDTH_DAYS,
            "payment_fails": subscriptions.PAYMENT_FAILS,
            "retry_days": subscriptions.RETRY_DAYS,
            "retry_fails": subscriptions.RETRY_FAILS,
            "changes_a_day": subscriptions.CHANGE_A_DAY,
        },
        "visits": {
            "mean_days_between": customers.MEAN_DAYS_BETWEEN_VISITS,
            "mean_days_to_lapse": customers.MEAN_DAYS_TO_LAPSE,
            "share_after_lapse": customers.LAPSED_VISIT_SHARE,
        },
        "lead_times": {
            SUPPLIER_IDS[i]: {"distribution": "gamma", "mean_days": float(mean), "sd_days": float(firms.lead_sd[i])}
            for i, mean in enumerate(firms.lead_mean)
        },
        "monthly_mrr": _mrr(company, through),
    }


def _mrr(company: Company, through: date) -> dict[str, dict[str, Any]]:
    months = range(month_number(company.opened), month_number(through) + 1)
    ends = [min(first_of_month(month + 1) - timedelta(days=1), through) for month in months]
    return {
        f"{end:%Y-%m}-01": {
            "as_of": str(end),
            "by_currency": {currency: str(amount) for currency, amount in found.by_currency.items()},
            "eur": str(found.eur),
            "subscriptions": found.subscriptions,
        }
        for end, found in zip(ends, mrr_on(company, ends), strict=True)
    }


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]
