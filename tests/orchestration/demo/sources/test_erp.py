from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from orchestration.contracts import Feed
from orchestration.demo import Company
from orchestration.demo.catalogue import list_prices
from orchestration.demo.company import month_number
from orchestration.demo.rates import eur_rate
from orchestration.demo.sources import erp
from tests.orchestration.demo.conftest import Home, Record


def test_exports_are_made_at_the_opening_and_on_the_first_of_months(small: Home) -> None:
    found = sorted(path.stem.removeprefix("products_") for path in small.path.glob("demo/erp/products/*.csv"))
    assert found == ["2023-12-10", "2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01"]
    for folder in ("erp/supplier_offers", "marketing/promotions"):
        assert len(list(small.path.glob(f"demo/{folder}/*.csv"))) == 6
    assert len(list(small.path.glob("demo/erp/locations/*.csv"))) == 1


def test_the_catalogue_lists_what_is_on_sale_at_the_prices_of_the_month() -> None:
    company = Company(opened=date(2024, 1, 1))
    t = company.t(date(2024, 6, 1))
    batch = erp.products_batch(company, t)
    good = [row for place, row in enumerate(batch.rows) if place not in batch.bad]
    prices = list_prices(company, month_number(date(2024, 6, 1)))
    assert 138 <= len(good) <= 150
    for row in good:
        product = int(str(row[1])[1:]) - 1
        rate = float(eur_rate(company, str(row[6]), date(2024, 6, 1)))
        assert round(float(str(row[4])) * rate, 2) == prices[product]
        assert str(row[7]) <= "2024-06-01"
    assert {row[6] for row in good} == {"EUR", "USD"}


def test_product_names_with_commas_and_quotes_survive_the_file(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]
) -> None:
    names = {row["product_name"] for row in records(feeds["raw_erp.products"], small.path)} - {None}
    assert any("," in name for name in names)
    assert any('"' in name for name in names)


def test_promotions_of_the_next_two_months_are_always_published(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]
) -> None:
    rows = records(feeds["raw_marketing.promotions"], small.path)
    starts = [date.fromisoformat(row["starts_on"]) for row in rows if row["starts_on"] != "2024-02-31"]
    assert max(starts) > small.through + timedelta(days=60)
    assert all(row["published_at"] <= row["starts_on"] for row in rows)
