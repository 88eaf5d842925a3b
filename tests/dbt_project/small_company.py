"""A company small enough to work every figure out by hand; the tests say how. As of Sunday 30 June 2024."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count

import duckdb

from tests.dbt_project.raw_warehouse import create_tables, insert, land

AS_OF = date(2024, 6, 30)
SUNDAYS = [date(2024, 4, 7) + timedelta(weeks=week) for week in range(13)]

_line = count(1)


def _sale(sold: str, quantity: int, recorded: str | None = None, **columns: object) -> dict[str, object]:
    number = next(_line)
    return {
        "entry_id": number,
        "sale_line_id": f"POS{number:02}",
        "receipt_id": f"R{number:02}",
        "store_id": "S01",
        "sold_at": f"{sold} 12:00:00",
        "product_id": "P0001",
        "quantity": quantity,
        "unit_price": 10.0,
        "currency": "EUR",
        "recorded_at": f"{recorded or sold} 12:05:00",
        **columns,
    }


POS_SALES = [
    # A ball sells 7 times each Sunday, up to the as-of date, to an unknown buyer except for the last one.
    *[_sale(str(day), 7) for day in SUNDAYS[:-1]],
    _sale(str(SUNDAYS[-1]), 7, customer_id="C000001"),
    # One comes back on the day before.
    _sale("2024-06-29", -1, customer_id="C000001"),
    # Recorded late: known on 21 June, and not known on the as-of date.
    _sale("2024-06-02", 7, recorded="2024-06-21"),
    _sale("2024-06-23", 500, recorded="2024-07-03"),
    # The till rings up WEB02 when it is fetched, 40 minutes after it was ordered.
    _sale(
        *("2024-06-29", 1),
        sold_at="2024-06-29 00:10:00",
        product_id="P9999",
        customer_id="C000002",
        unit_price=5.0,
    ),
    # Rejected by the gate, see QUARANTINE.
    _sale("2024-06-28", 9_999),
]
REJECTED_ROW = len(POS_SALES) - 1
# Landed, but the gate has not seen this load.
UNGATED_SALES = [_sale("2024-06-28", 1_000)]

WEB_ORDERS = [
    {
        "order_line_id": "WEB01",
        "order_id": "O1",
        "ordered_at": "2024-06-28 23:30:00",
        "product_id": "P0002",
        "category": "Eletronics",
        "customer_id": "C000002",
        "quantity": 2,
        "unit_price": 20.0,
        "currency": "USD",
        "shipping_country": "FR",
        "recorded_at": "2024-06-28 23:31:00",
        "device": "phone",
    },
    {
        "order_line_id": "WEB02",
        "order_id": "O1",
        "ordered_at": "2024-06-28 23:30:00",
        "product_id": "P9999",
        "category": "???",
        "customer_id": "C000002",
        "quantity": 1,
        "unit_price": 5.0,
        "currency": "EUR",
        "shipping_country": "FR",
        "recorded_at": "2024-06-28 23:31:00",
    },
]

CUSTOMERS = [
    {"entry_id": entry, "customer_id": "C000001", "full_name": "Ada", "city": city, "updated_at": f"{day} 09:00:00"}
    for entry, city, day in [(1, "Paris", "2024-01-01"), (2, "Berlin", "2024-05-01"), (3, "Rome", "2024-07-01")]
]

PRODUCTS = [
    {"exported_at": exported, "product_id": product, "product_name": name, "category": category}
    | {"list_price": price, "unit_cost": cost, "currency": currency, "introduced_on": "2024-01-01"}
    for exported, product, name, category, price, cost, currency in [
        ("2024-01-01", "P0001", "Ball", " TOYS ", "10", "4", "EUR"),
        ("2024-06-01", "P0001", "Ball", " TOYS ", "12", "4", "EUR"),
        ("2024-07-01", "P0001", "Ball", "Books", "99", "4", "EUR"),
        ("2024-01-01", "P0002", "Lamp", "???", "20", "8", "USD"),
    ]
]

SUPPLIER_OFFERS = [
    {"exported_at": "2024-06-01", "supplier_id": supplier, "supplier_name": name, "product_id": "P0001"}
    | {"unit_cost": cost, "currency": "EUR", "minimum_order_quantity": "10", "pack_size": "6"}
    | {"lead_time_days": lead_time, "lead_time_sd_days": "1"}
    for supplier, name, cost, lead_time in [("V01", "Balls Inc", "4", "2.5"), ("V02", "Dear Ltd", "5", "1")]
]

LOCATIONS = [
    {"exported_at": "2024-01-01", "location_id": location, "location_name": name, "kind": kind, "warehouse_id": "W1"}
    for location, name, kind in [("S01", "Mitte", "store"), ("S02", "Wedding", "store"), ("W1", "Depot", "warehouse")]
]

INVENTORY = [
    {"snapshot_date": day, "warehouse_id": "W1", "product_id": "P0001", "on_hand": on_hand, "on_order": "2"}
    | {"recorded_at": f"{day}T22:00:00Z"}
    for day, on_hand in [("2024-06-19", "50"), ("2024-06-29", "99"), ("2024-06-30", "8"), ("2024-07-01", "1")]
]

SUBSCRIPTIONS: list[dict[str, object]] = [
    {"subscription_id": subscription, "customer_id": customer, "plan_id": "club", "status": status}
    | {"interval": interval, "interval_count": "1", "quantity": quantity, "unit_amount": amount, "currency": currency}
    | {"started_at": f"{started}T08:00:00Z", "ended_at": ended, "updated_at": f"{updated}T08:00:00Z"}
    for subscription, customer, status, interval, quantity, amount, currency, started, ended, updated in [
        ("SUB1", "C000003", "active", "year", "1", "120.06", "EUR", "2024-05-10", None, "2024-05-10"),
        ("SUB2", "C000001", "active", "month", "2", "10", "USD", "2024-04-01", None, "2024-04-01"),
        ("SUB2", "C000001", "canceled", "month", "2", "10", "USD", "2024-04-01", "2024-06-20T08:00:00Z", "2024-06-20"),
        ("SUB3", "C000001", "active", "week", "1", "9", "EUR", "2024-06-01", None, "2024-07-02"),
    ]
]

PROMOTIONS = [
    {"published_at": published, "promotion_id": promotion, "promotion_name": promotion, "category": "toys"}
    | {"product_id": product, "starts_on": "2024-07-02", "ends_on": "2024-07-03", "discount_rate": rate}
    for published, promotion, product, rate in [
        ("2024-06-01", "PR1", "P0001", "0.25"),
        ("2024-07-01", "PR2", "", "0.9"),
    ]
]

# The rate of 18 June came a week late, that of 1 July after the as-of date; before, the seed has 0.92.
EXCHANGE_RATES = [
    {"rate_date": day, "currency": "USD", "eur_rate": rate, "published_at": f"{published} 15:00:00"}
    for day, rate, published in [
        ("2024-06-18", "0.95", "2024-06-25"),
        ("2024-06-19", "0.94", "2024-06-19"),
        ("2024-06-27", "0.9", "2024-06-27"),
        ("2024-07-01", "0.5", "2024-07-01"),
    ]
]

# A visit that ends in order O1, one of 10 June, and a click that is received a day late.
CLICKS = [
    {"event_id": f"E{number}", "session_id": session, "customer_id": customer, "event_type": event, "order_id": order}
    | {"occurred_at": occurred, "received_at": received or occurred, "device": "mobile", "referrer": "search"}
    for number, (session, customer, event, order, occurred, received) in enumerate(
        [
            ("V1", None, "search", None, "2024-06-10 09:00:00", None),
            ("V2", None, "view", None, "2024-06-28 23:20:00", None),
            ("V2", "C000002", "add_to_cart", None, "2024-06-28 23:25:00", None),
            ("V2", "C000002", "purchase", "O1", "2024-06-28 23:30:00", None),
            ("V2", "C000002", "purchase", "O1", "2024-06-28 23:30:00", None),
            ("V3", None, "view", None, "2024-06-30 23:50:00", "2024-07-01 00:10:00"),
        ]
    )
]

LOGINS = [
    {"login_id": f"L{number}", "customer_id": "C000001", "logged_in_at": at, "session_seconds": seconds}
    | {"recorded_at": recorded}
    for number, (at, seconds, recorded) in enumerate(
        [
            ("2024-06-11T00:30:00+02:00", "60", "2024-06-10T22:31:00"),
            ("2024-06-29T20:00:00-05:00", "30", "2024-06-30T01:00:30"),
            ("2024-06-30T12:00:00Z", "5", "2024-06-30T12:00:05"),
            ("2024-06-30T20:00:00-05:00", "99", "2024-07-01T01:01:39"),
        ]
    )
]

# Two calls of K000001, the second of which is not known yet, and an offer.
INTERACTIONS = [
    {"entry_id": number, "interaction_id": f"A{number}", "contact_id": "K000001", "kind": kind, "interaction_at": at}
    | {"channel": "phone", "topic": "payment", "recorded_at": recorded}
    for number, (kind, at, recorded) in enumerate(
        [
            ("support_call", "2024-06-11T00:30:00+02:00", "2024-06-12 08:00:00"),
            ("retention_offer", "2024-06-18T10:00:00+02:00", "2024-06-18 08:05:00"),
            ("support_call", "2024-06-29T10:00:00+02:00", "2024-07-01 08:05:00"),
        ]
    )
]

COMPETITOR_PRICES = [
    {"observation_id": f"M{number}", "competitor": "Rival", "product_id": product, "price": price, "currency": currency}
    | {"unit_of_measure": unit, "pack_size": size, "observed_at": f"{day} 08:00:00"}
    for number, (product, price, currency, unit, size, day) in enumerate(
        [
            ("P0001", "9", "EUR", "piece", "1", "2024-05-27"),
            ("P0001", "80", "USD", "dozen", "1", "2024-06-28"),
            ("P0002", "46", "EUR", "piece", "2", "2024-06-28"),
            ("P0001", "1", "EUR", "piece", "1", "2024-07-01"),
        ]
    )
]

POSITIONS = [
    {"position_id": f"G{number}", "shipment_id": shipment, "vehicle_id": "T1", "status": status, "latitude": latitude}
    | {"origin_location_id": "W1", "destination_location_id": "S01", "longitude": 10.0, "speed_kmh": 60.0}
    | {"recorded_at": recorded, "received_at": received or recorded}
    for number, (shipment, status, latitude, recorded, received) in enumerate(
        [
            ("H1", "departed", 50.0, "2024-06-12 06:00:00", None),
            ("H1", "delivered", 51.0, "2024-06-12 08:30:00", None),
            ("H2", "departed", 50.0, "2024-06-30 22:00:00", None),
            ("H2", "delivered", 51.0, "2024-06-30 23:30:00", "2024-07-01 00:05:00"),
        ]
    )
]

RUNS = [
    {"run_id": "1", "as_of_date": "2024-06-29", "started_at": "2024-06-30 05:00:00", "status": "succeeded"},
    {"run_id": "2", "as_of_date": "2024-06-30", "started_at": "2024-07-01 05:00:00", "status": "running"},
    {"run_id": "3", "as_of_date": "2024-07-15", "started_at": "2024-07-16 05:00:00", "status": "failed"},
]

# S01 and S02 sell 1 and a half a day; the 90 % quantile lies 1 above the 50 % quantile in both.
FORECAST = [
    {"as_of_date": AS_OF, "store_id": store, "product_id": "P0001", "target_date": AS_OF + timedelta(days=horizon)}
    | {"horizon": horizon, "mean_units": mean, "p10": 0.0, "p50": mean, "p90": mean + 1}
    | {"interval_low": -0.5, "interval_high": mean + 1}
    for store, mean in [("S01", 1.0), ("S02", 0.5)]
    for horizon in range(1, 31)
]

BACKTEST = [
    {"as_of_date": AS_OF, "origin_date": date(2024, 6, 21), "store_id": "S01", "product_id": "P0001"}
    | {"target_date": date(2024, 6, 21) + timedelta(days=horizon), "horizon": horizon, "units": units}
    | {"mean_units": mean, "p10": 0.0, "p50": mean, "p90": 6.0, "seasonal_naive": naive}
    | {"interval_low": -0.5, "interval_high": 6.0}
    for horizon, units, mean, naive in [(1, 0.0, 1.0, 0.0), (2, 7.0, 5.0, 3.0), (8, 3.0, 4.0, 3.0)]
]

KNOWN_AT = {
    "raw_pos.sales": "recorded_at",
    "raw_pos.customers": "updated_at",
    "raw_web.orders": "recorded_at",
    "raw_erp.products": "exported_at",
    "raw_erp.supplier_offers": "exported_at",
    "raw_erp.locations": "exported_at",
    "raw_wms.inventory": "recorded_at",
    "raw_billing.subscriptions": "updated_at",
    "raw_marketing.promotions": "published_at",
    "raw_treasury.exchange_rates": "published_at",
    "raw_web.clicks": "received_at",
    "raw_app.logins": "recorded_at",
    "raw_crm.interactions": "recorded_at",
    "raw_market.competitor_prices": "observed_at",
    "raw_logistics.positions": "received_at",
}


def build_raw(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates what landing, the gate and the model have written by the as-of date, and some of the days after it."""
    create_tables(connection)
    land(connection, "raw_pos.sales", POS_SALES)
    insert(
        connection,
        "raw_pos.sales",
        [{**row, "_dlt_load_id": "load-2", "_row": number} for number, row in enumerate(UNGATED_SALES)],
    )
    insert(
        connection,
        "quality.quarantine",
        [{"feed": "raw_pos.sales", "load_id": "load-1", "row_number": REJECTED_ROW, "rules": "quantity:range"}],
    )
    land(connection, "raw_pos.customers", CUSTOMERS)
    land(connection, "raw_web.orders", WEB_ORDERS)
    land(connection, "raw_erp.products", PRODUCTS)
    land(connection, "raw_erp.supplier_offers", SUPPLIER_OFFERS)
    land(connection, "raw_erp.locations", LOCATIONS)
    land(connection, "raw_wms.inventory", INVENTORY)
    land(connection, "raw_billing.subscriptions", SUBSCRIPTIONS)
    land(connection, "raw_marketing.promotions", PROMOTIONS)
    land(connection, "raw_treasury.exchange_rates", EXCHANGE_RATES)
    land(connection, "raw_web.clicks", CLICKS)
    land(connection, "raw_app.logins", LOGINS)
    land(connection, "raw_crm.interactions", INTERACTIONS)
    land(connection, "raw_market.competitor_prices", COMPETITOR_PRICES)
    land(connection, "raw_logistics.positions", POSITIONS)
    insert(connection, "quality.runs", RUNS)
    insert(connection, "predictions.demand_forecast", FORECAST)
    insert(connection, "predictions.demand_forecast_backtest", BACKTEST)


def forget_after(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Deletes every raw row that became known after a day, so that nothing can look at it."""
    limit = datetime(day.year, day.month, day.day) + timedelta(days=1)  # noqa: DTZ001
    for feed, column in KNOWN_AT.items():
        connection.execute(f"delete from {feed} where cast({column} as timestamp) >= ?", [limit])
