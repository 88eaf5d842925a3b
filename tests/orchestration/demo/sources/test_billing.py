from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestration.contracts import Feed
from tests.orchestration.demo.conftest import Home, Record

Records = Callable[[Feed, Path], list[Record]]
Judge = Callable[[Feed, list[Record]], list[str]]


def _good(feed: Feed, small: Home, records: Records, judge: Judge) -> list[Record]:
    rows = records(feed, small.path)
    return [row for row, broken in zip(rows, judge(feed, rows), strict=True) if not broken]


def test_the_states_of_a_subscription_show_every_policy(
    small: Home, feeds: dict[str, Feed], records: Records, judge: Judge
) -> None:
    rows = _good(feeds["raw_billing.subscriptions"], small, records, judge)
    assert {row["status"] for row in rows} == {"trialing", "active", "past_due", "unpaid", "paused", "canceled"}
    assert {row["currency"] for row in rows} == {"EUR", "USD", "JPY"}
    assert {(row["discount_percent"], row["discount_amount"]) for row in rows} >= {
        (None, None),
        ("25", None),
        ("100", None),
        (None, "1.5"),
    }
    # The end is known ahead, and nothing but canceled_at says why.
    assert [row for row in rows if row["status"] == "active" and (row["ended_at"] or "") > row["updated_at"]]
    assert [row for row in rows if row["is_deleted"] == "True"]
    assert [row for row in rows if row["started_at"] < row["updated_at"][:10] and row["status"] == "trialing"]
    on_trial = [row for row in rows if row["status"] == "trialing"]
    assert all(row["trial_ends_at"][10:] == row["started_at"][10:] for row in on_trial)


def test_money_is_given_back_of_paid_invoices_within_their_period(
    small: Home, feeds: dict[str, Feed], records: Records, judge: Judge
) -> None:
    invoices = {row["invoice_id"]: row for row in _good(feeds["raw_billing.invoices"], small, records, judge)}
    notes = _good(feeds["raw_billing.credit_notes"], small, records, judge)
    assert {note["reason"] for note in notes} == {"refund", "duplicate", "goodwill"}
    for note in notes:
        invoice = invoices[note["invoice_id"]]
        assert invoice["status"] == "paid"
        assert (note["customer_id"], note["currency"]) == (invoice["customer_id"], invoice["currency"])
        assert 0 < float(note["amount"]) <= float(invoice["amount"])
        assert invoice["period_start"] <= note["period_start"] <= note["period_end"] == invoice["period_end"]
        assert note["issued_at"] >= invoice["issued_at"]


def test_a_mended_invoice_follows_the_open_one_of_its_number(
    small: Home, feeds: dict[str, Feed], records: Records, judge: Judge
) -> None:
    invoices = {row["invoice_id"]: row for row in _good(feeds["raw_billing.invoices"], small, records, judge)}
    mended = [number for number in invoices if number.endswith("R")]
    assert mended
    for number in mended:
        failed, paid = invoices[number.removesuffix("R")], invoices[number]
        assert (failed["status"], paid["status"]) == ("open", "paid")
        assert failed["issued_at"] < paid["issued_at"]
        assert {name: failed[name] for name in ("period_start", "period_end", "amount")} == {
            name: paid[name] for name in ("period_start", "period_end", "amount")
        }
