"""What is true of the simulated company, written where the pipeline never looks, so that its answers can be marked."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.demo import bills, customers, offers, seasons, subscriptions, terms
from orchestration.demo.baskets import affinities
from orchestration.demo.catalogue import LOCATION_IDS, PRODUCT_IDS, SUPPLIER_IDS, products, suppliers
from orchestration.demo.categories import CATEGORIES, NAMES, UNKNOWN
from orchestration.demo.collected import COLLECTED_SHARE, LATEST, SOONEST
from orchestration.demo.company import Company, first_of_month, month_number
from orchestration.demo.contacts import contacts_created_by
from orchestration.demo.customers import customer_id, joined_by
from orchestration.demo.demand import DISPERSION
from orchestration.demo.mess import BadRow
from orchestration.demo.particulars import person
from orchestration.demo.recurring import movements, mrr_on
from orchestration.demo.register import demo_folder, replace_file
from orchestration.demo.sources import FORGETFUL, app, crm, market

_BAD_ROWS = pa.schema(
    [
        ("feed", pa.string()),
        ("day", pa.date32()),
        ("key", pa.string()),
        ("rules", pa.string()),
        ("row", pa.string()),
    ]
)
_NEAR_DUPLICATES = pa.schema([("day", pa.date32()), ("sale_line_id", pa.string()), ("order_line_id", pa.string())])
# Holidays are listed beyond the last day, as far as anybody forecasts.
_AHEAD = timedelta(days=90)


@dataclass(frozen=True)
class NearDuplicate:
    """A sale line that a till rang up for goods that the web shop had sold already."""

    day: date
    sale_line_id: str
    order_line_id: str


def truth_folder(home: Path) -> Path:
    """Returns the folder of the truth."""
    return demo_folder(home) / "truth"


def write_truth(
    home: Path,
    company: Company,
    through: date,
    known: date | None,
    bad: Sequence[BadRow],
    repeated: Sequence[NearDuplicate],
) -> None:
    """Writes truth.json, bad_rows.parquet, near_duplicates.parquet and identities.parquet as of a day.

    Of sources that forget, the truth lists the bad rows that they still hold.

    Args:
        home: Home of the company.
        company: The company.
        through: The last day that its systems hold.
        known: Last day whose bad rows and repeated lines the files already hold, if any.
        bad: The bad rows of the days after it.
        repeated: The sale lines of these days that repeat an order of the web shop.
    """
    content = json.dumps(truth(company, through), indent=2, ensure_ascii=False) + "\n"
    replace_file(truth_folder(home) / "truth.json", content.encode())
    rows = _grown(home, "bad_rows", _BAD_ROWS, known, bad)
    for feed, kept_days in FORGETFUL.items():
        kept = pa.scalar(through - timedelta(days=kept_days - 1), pa.date32())
        is_forgotten = pc.and_(pc.equal(rows["feed"], feed), pc.less(rows["day"], kept))
        rows = rows.filter(pc.invert(is_forgotten))
    _write(home, "bad_rows", rows)
    _write(home, "near_duplicates", _grown(home, "near_duplicates", _NEAR_DUPLICATES, known, repeated))
    _write(home, "identities", identities(company, through))


def identities(company: Company, through: date) -> pa.Table:
    """Returns which records, `pos:<customer_id>` and `crm:<contact_id>`, are of the same person."""
    t = company.t(through)
    known = joined_by(company, t)
    found = [
        (f"pos:{customer_id(index)}", person(company, index, joined).person_id)
        for index, joined in enumerate(customers.customers(company, t).joined[:known].tolist())
    ]
    found += [(f"crm:{contact}", somebody) for contact, somebody in contacts_created_by(company, t)]
    records, people = zip(*found, strict=True) if found else ((), ())
    return pa.table({"record_id": pa.array(records, pa.string()), "person_id": pa.array(people, pa.string())})


def _grown(home: Path, name: str, schema: pa.Schema, known: date | None, new: Sequence[Any]) -> pa.Table:
    """What a file of the truth holds up to the day that was known, and then the new entries."""
    table = pa.table([pa.array([getattr(row, f.name) for row in new], f.type) for f in schema], schema=schema)
    if known is None:
        return table
    before = pq.read_table(truth_folder(home) / f"{name}.parquet", schema=schema)
    before = before.filter(pc.less_equal(before["day"], pa.scalar(known, pa.date32())))
    return pa.concat_tables([before, table])


def _write(home: Path, name: str, table: pa.Table) -> None:
    buffer = io.BytesIO()
    pq.write_table(table.combine_chunks(), buffer, compression="zstd")
    replace_file(truth_folder(home) / f"{name}.parquet", buffer.getvalue())


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
            "formula": "daily chance to ask to cancel ="
            " low + (high - low) / (1 + exp(-(inactive days - middle) / width));"
            " inactive days = days since the later of the last purchase before the day and the subscription's start",
            "low": subscriptions.HAZARD_LOW,
            "high": subscriptions.HAZARD_HIGH,
            "middle_days": subscriptions.HAZARD_MIDDLE_DAYS,
            "width_days": subscriptions.HAZARD_WIDTH_DAYS,
            "payment_fails": subscriptions.PAYMENT_FAILS,
            "retry_days": subscriptions.RETRY_DAYS,
            "retry_fails": subscriptions.RETRY_FAILS,
            "notice_share": subscriptions.NOTICE_SHARE,
            "last_try_days": subscriptions.LAST_TRY_DAYS,
            "last_try_fails": subscriptions.LAST_TRY_FAILS,
            "changes_a_day": subscriptions.CHANGE_A_DAY,
            "retention_offers": {
                "formula": "offers go to subscribers by lot, whom the CRM system can reach; on the days after one the"
                " daily chance to ask to cancel is multiplied by the effect",
                "offers_a_day": offers.OFFERS_A_DAY,
                "days": offers.OFFER_DAYS,
                "effect": offers.OFFER_EFFECT,
            },
        },
        "support": {
            "share_of_buyers": crm.BUYERS_SHARE,
            "share_of_failed_payments": crm.FAILED_SHARE,
            "entered_late_share": crm.LATE_SHARE,
        },
        "billing": {
            "pause_share_of_bills": subscriptions.PAUSE_SHARE,
            "goodwill_share_of_bills": bills.GOODWILL_SHARE,
            "yen_share": terms.YEN_SHARE,
            "trials": {"share": terms.TRIAL_SHARE, "days": terms.TRIAL_DAYS, "lost": terms.TRIAL_LOST},
            "coupons": {
                "percent": {"share": terms.PERCENT_SHARE, "percent": terms.PERCENT, "months": terms.PERCENT_MONTHS},
                "amount": {"share": terms.AMOUNT_SHARE, "amount": terms.AMOUNT, "yen": terms.AMOUNT_YEN},
                "free": {"share": terms.FREE_SHARE, "months": terms.FREE_MONTHS},
            },
            "entered_late_share": terms.LATE_SHARE,
            "mistake_share": terms.MISTAKE_SHARE,
        },
        "visits": {
            "mean_days_between": customers.MEAN_DAYS_BETWEEN_VISITS,
            "mean_days_to_lapse": customers.MEAN_DAYS_TO_LAPSE,
            "share_after_lapse": customers.LAPSED_VISIT_SHARE,
        },
        "app": {
            "formula": "log-ins ~ Poisson(usual of the customer * interest); interest falls evenly from 1, some days"
            " before the customer lapses and buys rarely",
            "falls_before_days": app.DRIFTS_BEFORE_DAYS,
            "falls_for_days": app.DRIFTS_FOR_DAYS,
            "left_of_interest": app.LEFT_OF_INTEREST,
        },
        "competitors": {
            rival.name: {"price_level": rival.level, "currency": rival.currency} for rival in market.COMPETITORS
        },
        "near_duplicates": {"collected_share": COLLECTED_SHARE, "seconds": [SOONEST, LATEST]},
        "lead_times": {
            SUPPLIER_IDS[i]: {"distribution": "gamma", "mean_days": float(mean), "sd_days": float(firms.lead_sd[i])}
            for i, mean in enumerate(firms.lead_mean)
        },
        **_recurring(company, through),
    }


def _recurring(company: Company, through: date) -> dict[str, dict[str, Any]]:
    """The revenue of each month as the last day knows it, and what moved it, by customers of the till register."""
    numbers = range(month_number(company.opened), month_number(through) + 1)
    ends = [min(first_of_month(number + 1) - timedelta(days=1), through) for number in numbers]
    found = mrr_on(company, ends, through)
    return {
        "monthly_mrr": {
            f"{end:%Y-%m}-01": {
                "as_of": str(end),
                "by_currency": {currency: str(amount) for currency, amount in month.by_currency.items()},
                "eur": str(month.eur),
                "subscriptions": month.subscriptions,
            }
            for end, month in zip(ends, found, strict=True)
        },
        "movements": {
            f"{end:%Y-%m}-01": {
                currency: {kind: str(amount) for kind, amount in sorted(kinds.items())}
                for currency, kinds in sorted(moved.items())
            }
            for end, moved in zip(ends, movements(found), strict=True)
        },
    }


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]
