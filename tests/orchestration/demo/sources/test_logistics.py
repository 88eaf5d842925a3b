from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from orchestration.demo import Company
from orchestration.demo.catalogue import LOCATION_IDS, SERVED_BY, SUPPLIER_IDS, WAREHOUSE_IDS
from orchestration.demo.mess import Value
from orchestration.demo.sources.logistics import PLACES, POSITIONS, positions_batch

Position = dict[str, Value]


@pytest.fixture(scope="module")
def shipments(grown: Company) -> dict[str, list[Position]]:
    """The good positions of five weeks by shipment, in the order in which they were measured."""
    found: dict[str, list[Position]] = defaultdict(list)
    for t in range(400, 435):
        batch = positions_batch(grown, t)
        for place, row in enumerate(batch.rows):
            if place not in batch.bad:
                position = dict(zip(POSITIONS.columns, row, strict=True))
                assert str(position["received_at"]).startswith(str(grown.day(t)))
                found[str(position["shipment_id"])].append(position)
    return {shipment: sorted(rows, key=lambda row: str(row["recorded_at"])) for shipment, rows in found.items()}


def _whole(shipments: dict[str, list[Position]], grown: Company) -> list[list[Position]]:
    """Those that departed on a day from which on everything is there."""
    days = {f"{grown.day(t):%Y%m%d}" for t in range(400, 432)}
    return [rows for shipment, rows in shipments.items() if shipment[2:10] in days]


def test_a_shipment_departs_moves_and_is_delivered_where_it_goes(
    shipments: dict[str, list[Position]], grown: Company
) -> None:
    whole = _whole(shipments, grown)
    assert len(whole) > 200
    for rows in whole:
        assert [row["status"] for row in rows].count("departed") == 1
        assert rows[0]["status"] == "departed"
        assert rows[-1]["status"] == "delivered"
        for row, place in ((rows[0], "origin_location_id"), (rows[-1], "destination_location_id")):
            assert (row["latitude"], row["longitude"]) == pytest.approx(PLACES[str(row[place])], abs=0.002)
        # Stops are for rest.
        assert all((row["speed_kmh"] == 0.0) == (row["status"] != "moving") for row in rows)
        assert len({row["temperature_c"] is None for row in rows}) == 1
        under_way = _time(rows[-1], "recorded_at") - _time(rows[0], "recorded_at")
        assert timedelta(minutes=20) < under_way < timedelta(hours=48)


def test_stores_are_served_by_their_warehouse_and_warehouses_by_suppliers_but_not_on_sundays(
    shipments: dict[str, list[Position]],
) -> None:
    ways = {
        (str(rows[0]["origin_location_id"]), str(rows[0]["destination_location_id"])) for rows in shipments.values()
    }
    for origin, destination in ways:
        if destination in LOCATION_IDS:
            assert origin == WAREHOUSE_IDS[SERVED_BY[LOCATION_IDS.index(destination)]]
        else:
            assert origin in SUPPLIER_IDS
            assert destination in WAREHOUSE_IDS
    assert len(ways) > 8 + 12
    assert set(PLACES) == {*LOCATION_IDS, *WAREHOUSE_IDS, *SUPPLIER_IDS} - {"WEB"}
    departures = {datetime.strptime(shipment[2:10], "%Y%m%d").replace(tzinfo=UTC).weekday() for shipment in shipments}
    assert departures == set(range(6))


def test_no_truck_is_in_two_places(shipments: dict[str, list[Position]]) -> None:
    trips: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for rows in shipments.values():
        trips[str(rows[0]["vehicle_id"])].append((_time(rows[0], "recorded_at"), _time(rows[-1], "recorded_at")))
    assert len(trips) > 60
    for found in trips.values():
        found.sort()
        assert all(before[1] < after[0] for before, after in pairwise(found))


def test_a_truck_without_reception_sends_later_all_together(shipments: dict[str, list[Position]]) -> None:
    delays = [
        (_time(row, "received_at") - _time(row, "recorded_at")).total_seconds()
        for rows in shipments.values()
        for row in rows
    ]
    assert min(delays) >= 1
    assert max(delays) <= 3 * 3600 + 200
    assert 0.002 < sum(delay > 60 for delay in delays) / len(delays) < 0.06


def _time(row: Position, name: str) -> datetime:
    return datetime.fromisoformat(str(row[name]))
