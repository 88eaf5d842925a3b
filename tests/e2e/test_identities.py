"""Whether the run of the command line knows who is who, against the truth of the simulated company."""

from __future__ import annotations

import duckdb

from tests.e2e.conftest import Finished

PAIRS = """
    with known as (
        select customer_id, person_id from identities.customers
        inner join read_parquet(?) as truth using (record_id)
    )
    select (select sum(n * (n - 1) // 2) from (select count(*) as n from known group by {}))
"""


def test_customers_are_found_among_the_contacts_of_the_crm(undisturbed: Finished) -> None:
    truth = str(undisturbed.home.path / "demo" / "truth" / "identities.parquet")
    with duckdb.connect(str(undisturbed.home.path / "warehouse.duckdb"), read_only=True) as warehouse:
        found, true, right = (
            warehouse.execute(PAIRS.format(columns), [truth]).fetchall()[0][0]
            for columns in ("customer_id", "person_id", "customer_id, person_id")
        )
    assert right / found >= 0.97
    assert right / true >= 0.85


def test_sales_and_subscriptions_are_of_customers_who_are_one_row_each(undisturbed: Finished) -> None:
    assert undisturbed.home.published(
        "select count(*) - count(distinct customer_id) from core_analytics.customers"
    ) == [(0,)]
    assert undisturbed.home.published("select max(record_count) > 1 from core_analytics.customers") == [(True,)]
    strangers = "select count(*) from core_analytics.sales anti join core_analytics.customers using (customer_id)"
    assert undisturbed.home.published(f"{strangers} where customer_id is not null") == [(0,)]
