from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from orchestration.contracts import Feed
from orchestration.demo import Company
from orchestration.demo.catalogue import PRODUCT_IDS, products
from orchestration.demo.rates import eur_rate
from orchestration.demo.sources.market import COMPETITORS, prices_batch, unit_prices
from tests.orchestration.demo.conftest import Home, Record


def test_prices_are_found_every_monday(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]
) -> None:
    days = sorted(path.name.removeprefix("date=") for path in small.path.glob("demo/market/date=*"))
    assert len(days) == 22  # the 150 days after 10 December 2023 hold 22 Mondays
    assert {date.fromisoformat(day).weekday() for day in days} == {0}
    rows = records(feeds["raw_market.competitor_prices"], small.path)
    assert 5000 < len(rows) < 22 * 3 * 150


def test_a_unit_costs_what_the_competitor_asks_for_it_whatever_the_pack_and_the_currency(grown: Company) -> None:
    day = date(2023, 7, 3)
    batch = prices_batch(grown, grown.t(day))
    ratios = defaultdict(list)
    packs = set()
    for place, row in enumerate(batch.rows):
        if place in batch.bad:
            continue
        _, name, product, price, currency, unit, pack = (str(value) for value in row[:7])
        number = [competitor.name for competitor in COMPETITORS].index(name)
        pieces = int(pack) * (12 if unit == "dozen" else 1)
        # Larger packs are 5 % cheaper; the price is rounded to a cent of the pack.
        asked = unit_prices(grown, number, day)[PRODUCT_IDS.index(product)] * (0.95 if pieces > 1 else 1.0)
        euros = float(price) * float(eur_rate(grown, currency, day)) / pieces
        assert euros == pytest.approx(asked, abs=0.006 / pieces)
        ratios[name].append(euros / products(grown).base_price[PRODUCT_IDS.index(product)])
        packs.add((unit, pieces))
    assert packs == {("piece", 1), ("piece", 2), ("piece", 3), ("piece", 6), ("piece", 12), ("dozen", 12)}
    for competitor in COMPETITORS:
        assert np.median(ratios[competitor.name]) == pytest.approx(competitor.level, abs=0.04)
        assert 90 < len(ratios[competitor.name]) < 120
