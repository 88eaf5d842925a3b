"""An API is read to its end, once, through whatever it does on the way there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from orchestration.contracts import Feed, load_feeds
from orchestration.errors import CatalystError
from orchestration.landing import land
from orchestration.landing.drift import SchemaDrift
from orchestration.settings import REPOSITORY
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column

Answer = tuple[int, dict[str, str], Any]


@dataclass
class Asked:
    """One request that the API got."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


@dataclass
class FakeApi:
    """A server on this machine that answers as the test's own function says."""

    answer: Callable[[Asked], Answer] = lambda _: (200, {}, [])
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            fake.asked.append(Asked(url.path, query, dict(self.headers), body))
            status, headers, content = fake.answer(fake.asked[-1])
            if status == 0:
                self.close_connection = True
                return
            payload = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(payload)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(payload)
            except BrokenPipeError:
                self.close_connection = True

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def feed_of(make_feed: MakeFeed, warehouse: Warehouse, api: FakeApi) -> Callable[..., Feed]:
    """The feed of the fake API, impatient unless told otherwise."""

    def make(cursor_type: str = "integer", late: str | None = None, **settings: str) -> Feed:
        quick = {"backoffSeconds": "0.01", "retries": "3", "timeoutSeconds": "5", "patienceSeconds": "20"}
        server = {
            "type": "api",
            "location": f"{api.url}/orders",
            "customProperties": [{"property": n, "value": v} for n, v in (quick | settings).items()],
        }
        columns = [column("id", cursor_type, required=True), column("price", "number")]
        extra = {} if late is None else {"late": late}
        feed = make_feed("orders", server, columns, cursor="id", **extra)
        warehouse.prepare([feed])
        return feed

    return make


FeedOf = Callable[..., Feed]


def _rows(warehouse: Warehouse, columns: str = "id") -> list[Any]:
    with warehouse.connect() as connection:
        found = connection.execute(f"select {columns} from raw_shop.orders order by _dlt_load_id, _row").fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def _paged(rows: list[dict[str, Any]], size: int = 2) -> Callable[[Asked], Answer]:
    """Pages by a cursor, and heeds `since`, which names the first id to answer with."""

    def answer(asked: Asked) -> Answer:
        chosen = [row for row in rows if int(row["id"]) >= int(asked.query.get("since", "0"))]
        at = int(asked.query.get("cursor", "0"))
        return 200, {}, {"data": chosen[at : at + size], "next": str(at + size) if at + size < len(chosen) else None}

    return answer


CURSOR = {"dataPath": "data", "nextPath": "next", "since": "since"}


def _ids(*ids: int) -> list[dict[str, Any]]:
    return [{"id": n, "price": n + 0.5} for n in ids]


def test_pages_are_followed_by_cursor_and_later_only_new_rows_land(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(**CURSOR)
    # As text, "9" would be more than "11", and nothing new would come after it.
    api.answer = _paged(_ids(7, 8, 9, 10, 11))
    assert land(feed, warehouse).rows == 5
    assert [asked.query for asked in api.asked] == [{}, {"cursor": "2"}, {"cursor": "4"}]
    assert land(feed, warehouse).rows == 0
    assert api.asked[-1].query == {"since": "11"}
    api.answer = _paged(_ids(7, 8, 9, 10, 11, 12))
    assert land(feed, warehouse).rows == 1
    assert _rows(warehouse) == ["7", "8", "9", "10", "11", "12"]


def test_a_row_that_comes_later_at_the_newest_cursor_value_lands_too(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(**CURSOR)
    api.answer = _paged([{"id": 1, "price": 1}])
    land(feed, warehouse)
    api.answer = _paged([{"id": 1, "price": 1}, {"id": 1, "price": 2}, {"id": 1, "price": 2}])
    assert land(feed, warehouse).rows == 2
    assert land(feed, warehouse).rows == 0
    assert _rows(warehouse, "price") == ["1", "2", "2"]


def test_rows_within_the_late_window_are_asked_for_again_and_land_once(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(late="5", **CURSOR)
    api.answer = _paged(_ids(1, 10, 20))
    land(feed, warehouse)
    api.answer = _paged([{"id": 20, "price": 99}, *_ids(14, 15, 16, 20)])
    assert land(feed, warehouse).rows == 3
    assert api.asked[-1].query["since"] == "15"
    assert _rows(warehouse, "id, price")[3:] == [("20", "99"), ("15", "15.5"), ("16", "16.5")]


@pytest.mark.parametrize(
    ("last", "late", "since"),
    [
        ("2026-03-01", "2 days", "2026-02-27"),
        ("2026-03-01T00:30:00Z", "1 hour", "2026-02-28T23:30:00Z"),
        ("2026-03-01T00:30:00+02:00", "30 minutes", "2026-03-01T00:00:00+02:00"),
        ("2026-03-01 00:30:00.250", "1 week", "2026-02-22 00:30:00.250000"),
    ],
)
def test_the_window_is_asked_for_in_the_form_of_the_source(
    last: str, late: str, since: str, feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of("timestamp", late, since="since")
    api.answer = lambda _: (200, {}, [{"id": last}])
    land(feed, warehouse)
    assert land(feed, warehouse).rows == 0
    assert api.asked[-1].query == {"since": since}


def test_times_are_compared_as_times_whatever_their_zone(feed_of: FeedOf, api: FakeApi, warehouse: Warehouse) -> None:
    feed = feed_of("timestamp", since="since")
    # 22:30 and 23:00 in UTC: as text, the first would be the newer one.
    api.answer = lambda _: (200, {}, [{"id": "2026-03-02T00:30:00+02:00"}, {"id": "2026-03-01T23:00:00Z"}])
    land(feed, warehouse)
    land(feed, warehouse)
    assert api.asked[-1].query == {"since": "2026-03-01T23:00:00Z"}


def test_a_cursor_in_the_future_does_not_hide_what_comes_before_it(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of("date", since="since")
    api.answer = lambda _: (200, {}, [{"id": "2026-01-01"}, {"id": "2999-01-01"}, {"id": "soon"}, {"id": None}])
    land(feed, warehouse)
    api.answer = lambda _: (200, {}, [{"id": "2026-01-01"}, {"id": "2999-01-01"}, {"id": "soon"}, {"id": "2026-01-02"}])
    assert land(feed, warehouse).rows == 1
    assert api.asked[-1].query == {"since": "2026-01-01"}
    assert _rows(warehouse) == ["2026-01-01", "2999-01-01", "soon", None, "2026-01-02"]


def test_offsets_go_on_by_what_came_and_not_by_what_was_asked_for(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    rows = _ids(*range(7))
    api.answer = lambda asked: (200, {}, {"meta": {"all": 7}} | {"rows": _from(asked, rows)})
    feed = feed_of(
        paging="offset", offsetParam="skip", limitParam="take", pageSize="100", totalPath="meta.all", dataPath="rows"
    )
    assert land(feed, warehouse).rows == 7
    assert [asked.query for asked in api.asked] == [{"skip": n, "take": "100"} for n in ("0", "3", "6")]


def _from(asked: Asked, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A server that never answers with more than three rows."""
    skip = int(asked.query["skip"])
    return rows[skip : skip + 3]


def test_without_a_total_offsets_end_at_an_empty_page(feed_of: FeedOf, api: FakeApi, warehouse: Warehouse) -> None:
    feed = feed_of(paging="offset", offsetParam="skip", pageSize="3")
    api.answer = lambda asked: (200, {}, _from(asked, _ids(1, 2, 3)))
    assert land(feed, warehouse).rows == 3
    assert [asked.query["skip"] for asked in api.asked] == ["0", "3"]


def test_an_offset_that_nobody_heeds_does_not_go_on_forever(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(paging="offset")
    api.answer = lambda _: (200, {}, _ids(1, 2))
    [problem] = land(feed, warehouse).problems
    assert "leads to the same page again" in problem.message
    assert len(api.asked) == 2
    assert _rows(warehouse) == ["1", "2"]


def test_an_empty_page_that_leads_to_itself_is_the_end(feed_of: FeedOf, api: FakeApi, warehouse: Warehouse) -> None:
    feed = feed_of(**CURSOR)
    api.answer = lambda asked: (200, {}, {"data": [] if "cursor" in asked.query else _ids(1), "next": "end"})
    landing = land(feed, warehouse)
    assert (landing.rows, landing.problems, len(api.asked)) == (1, (), 2)


def test_pages_are_followed_by_the_link_header(feed_of: FeedOf, api: FakeApi, warehouse: Warehouse) -> None:
    feed = feed_of(paging="link", auth="api_key", apiKeyIn="query", apiKeyName="key", apiKey="${TEST_KEY}")

    def answer(asked: Asked) -> Answer:
        page = int(asked.query.get("page", "1"))
        # Some APIs repeat the key in their links.
        link = f'</orders?page={page + 1}&key=s3cret>; rel="next", </orders?page=1>; rel="first"'
        return 200, {"Link": link} if page < 3 else {}, _ids(page)

    api.answer = answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", "s3cret")
        assert land(feed, warehouse).rows == 3
    assert [asked.query for asked in api.asked] == [
        {"key": "s3cret"},
        {"page": "2", "key": "s3cret"},
        {"page": "3", "key": "s3cret"},
    ]


def test_credentials_do_not_follow_a_link_to_another_address(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_TOKEN", "s3cret")
    feed = feed_of(paging="link", auth="bearer", token="${TEST_TOKEN}")
    api.answer = lambda _: (200, {"Link": '<http://elsewhere.example/orders>; rel="next"'}, _ids(1))
    with pytest.raises(CatalystError, match=r"another address, http://elsewhere\.example"):
        land(feed, warehouse)
    api.answer = lambda _: (302, {"Location": "http://elsewhere.example/orders"}, [])
    with pytest.raises(CatalystError, match=r"302.*http://elsewhere\.example/orders"):
        land(feed, warehouse)


def test_bearer_and_key_are_sent_where_the_contract_says(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SECRET", "s3cret")
    land(feed_of(auth="bearer", token="${TEST_SECRET}"), warehouse)
    land(feed_of(auth="api_key", apiKey="${TEST_SECRET}", apiKeyName="X-Shop-Key"), warehouse)
    assert api.asked[0].headers["Authorization"] == "Bearer s3cret"
    assert api.asked[1].headers["X-Shop-Key"] == "s3cret"


def test_an_access_token_is_asked_for_once_and_again_when_it_ends(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SECRET", "s3cret")
    tokens: list[str] = []
    pages = _paged(_ids(1, 2, 3, 4, 5, 6))

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            # A token endpoint is overloaded at times as well.
            tokens.append(f"t{len(tokens)}")
            return (503, {}, {}) if len(tokens) == 1 else (200, {}, {"access_token": tokens[-1], "expires_in": 3600})
        # The second page finds its token ended before its time.
        if asked.query.get("cursor") == "2" and len(tokens) == 2:
            return 401, {}, {}
        return pages(asked) if asked.headers["Authorization"] == f"Bearer {tokens[-1]}" else (401, {}, {})

    api.answer = answer
    feed = feed_of(
        **CURSOR,
        auth="oauth_client_credentials",
        tokenUrl=f"{api.url}/token",
        clientId="catalyst",
        clientSecret="${TEST_SECRET}",
        scope="orders.read",
    )
    assert land(feed, warehouse).rows == 6
    assert tokens == ["t0", "t1", "t2"]
    form = {name: values[0] for name, values in parse_qs(api.asked[0].body).items()}
    assert form == {
        "client_id": "catalyst",
        "client_secret": "s3cret",
        "grant_type": "client_credentials",
        "scope": "orders.read",
    }


def test_refused_credentials_are_told_at_once_and_without_the_secret(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SECRET", "s3cret")
    feed = feed_of(auth="bearer", token="${TEST_SECRET}")
    api.answer = lambda _: (403, {}, {"error": "s3cret is not allowed"})
    with pytest.raises(CatalystError, match=r"answered 403 Forbidden.*not allowed.*Check the credentials") as error:
        land(feed, warehouse)
    assert len(api.asked) == 1
    assert "s3cret" not in str(error.value)


def test_a_storm_of_429_is_waited_out_as_long_as_the_api_asks(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(**CURSOR)
    pages = _paged(_ids(1, 2, 3))
    asked_at: list[float] = []
    until = 0

    def answer(asked: Asked) -> Answer:
        nonlocal until
        asked_at.append(time.time())
        if len(asked_at) == 1:
            return 429, {"Retry-After": "1"}, {}
        if len(asked_at) == 2:
            until = int(time.time()) + 2
            return 429, {"Retry-After": formatdate(until, usegmt=True)}, {}
        return (429, {"Retry-After": "0"}, {}) if len(asked_at) == 3 else pages(asked)

    api.answer = answer
    assert land(feed, warehouse).rows == 3
    assert asked_at[1] - asked_at[0] >= 1
    assert asked_at[2] >= until


def test_a_longer_wait_than_our_patience_is_not_begun(feed_of: FeedOf, api: FakeApi, warehouse: Warehouse) -> None:
    feed = feed_of(patienceSeconds="3")
    api.answer = lambda _: (429, {"Retry-After": "3600"}, {"error": "slow down"})
    # A wait of an hour would be the end of the test, not a failure of it.
    with pytest.raises(CatalystError, match=r"answered 429 .*slow down.*Try later"):
        land(feed, warehouse)
    assert len(api.asked) == 1


def test_after_its_retries_an_api_that_is_down_is_told_with_what_was_tried(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(retries="2")
    api.answer = lambda _: (503, {}, b"maintenance")
    with pytest.raises(CatalystError, match=r"answered 503 .* to 3 requests within 0 s \(maintenance\)"):
        land(feed, warehouse)
    assert len(api.asked) == 3


def test_dropped_connections_and_slow_answers_are_tried_again(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(**CURSOR, timeoutSeconds="0.3")
    pages = _paged(_ids(1, 2, 3))
    release = threading.Event()

    def answer(asked: Asked) -> Answer:
        if len(api.asked) == 1:
            return 0, {}, None
        if len(api.asked) == 2:
            release.wait(2)
        if len(api.asked) == 3:
            # The connection ends in the middle of an answer.
            return 200, {"Content-Length": "1000", "Connection": "close"}, b'{"data": ['
        return pages(asked)

    api.answer = answer
    assert land(feed, warehouse).rows == 3
    assert len(api.asked) == 5
    release.set()


def test_nobody_at_the_address_is_a_sentence(feed_of: FeedOf, warehouse: Warehouse) -> None:
    feed = feed_of(location="http://127.0.0.1:9/orders?key=hidden", retries="1")
    with pytest.raises(CatalystError, match=r"http://127\.0\.0\.1:9/orders gave no answer.*to 2 requests") as error:
        land(feed, warehouse)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (404, {"error": "no such thing"}, r"answered 404 Not Found \(.*no such thing.*\)\. Check `location`"),
        (200, b"<!doctype html>\n<HTML><body>Log in</body></html>", r"a page of HTML that is no JSON.*Log in"),
        (200, b"", r"answered with something that is no JSON"),
        (200, b'{"data": [', r"no JSON"),
        (200, b"[" * 200_000, r"no JSON"),
        (200, {"error": "quota"}, r"has no `data` in its answer .*quota.*Correct `dataPath`"),
    ],
)
def test_an_answer_that_holds_no_page_is_a_sentence(
    status: int, content: Any, sentence: str, feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    api.answer = lambda _: (status, {}, content)
    feed = feed_of(**CURSOR)
    with pytest.raises(CatalystError, match=sentence):
        land(feed, warehouse)
    assert len(api.asked) == 1


def _failing(answer: Callable[[Asked], Answer], cursor: str, status: int) -> Callable[[Asked], Answer]:
    return lambda asked: (status, {}, {}) if asked.query.get("cursor") == cursor else answer(asked)


def test_pages_before_one_that_fails_land_and_the_next_run_goes_on_from_there(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(**CURSOR)
    # The newest ids come first, so that no cursor value says how far the reading came.
    pages = _paged(_ids(*range(20, 0, -1)))
    api.answer = _failing(pages, "12", 500)
    landing = land(feed, warehouse)
    [problem] = landing.problems
    assert (landing.rows, "answered 500" in problem.message) == (12, True)
    api.asked.clear()
    api.answer = pages
    again = land(feed, warehouse)
    assert (again.rows, again.problems, api.asked[0].query) == (8, (), {"cursor": "12"})
    assert _rows(warehouse) == [str(n) for n in range(20, 0, -1)]
    api.asked.clear()
    assert land(feed, warehouse).rows == 0
    assert api.asked[0].query == {"since": "20"}


def test_a_page_that_the_api_has_forgotten_is_reached_from_the_start(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    feed = feed_of(**CURSOR)
    pages = _paged(_ids(1, 2, 3, 4, 5))
    api.answer = _failing(pages, "2", 500)
    assert land(feed, warehouse).rows == 2
    api.asked.clear()
    gone = _failing(pages, "2", 410)
    api.answer = lambda asked: gone(asked) if len(api.asked) == 1 else pages(asked)
    assert land(feed, warehouse).rows == 3
    assert _rows(warehouse) == ["1", "2", "3", "4", "5"]


def test_values_land_as_the_text_that_was_sent(feed_of: FeedOf, api: FakeApi, warehouse: Warehouse) -> None:
    feed = feed_of(dataPath="rows")
    content = (
        b'{"rows": [{"id": 123456789012345678901234567890, "price": 1.50, "isPaid": true, "note": null,'
        b' "tags": ["a", 1.5, {"b": null}], "Unit Price": 1e400, "_row": "theirs", "\xc3\xa9": "x", "\xc3\xbc": "y",'
        b' "half": "\\ud800", "strange": "\xff", "sql": "\'; drop table orders; --"}, 7,'
        b' {"id": 2, "unit_price": 3, "UnitPrice": 4}]}'
    )
    api.answer = lambda _: (200, {}, content)
    assert land(feed, warehouse).rows == 3
    columns = "id, price, is_paid, note, tags, unit_price, source_row, half, strange, sql"
    assert _rows(warehouse, columns)[0] == (
        "123456789012345678901234567890",
        "1.50",
        "true",
        None,
        '["a",1.5,{"b":null}]',
        "1E+400",
        "theirs",
        "\\ud800",
        "\\udcff",
        "'; drop table orders; --",
    )
    # What is no object, and what spells a column in two ways, keeps its text for the gate to quarantine.
    assert _rows(warehouse, "_malformed")[1:] == ["7", '{"id":2,"unit_price":3,"UnitPrice":4}']
    with warehouse.connect() as connection:
        names = [row[0] for row in connection.execute("describe raw_shop.orders").fetchall()]
    assert len([name for name in names if name.startswith("x_")]) == 2


def test_an_api_that_no_longer_sends_a_required_column_stops_the_feed(
    feed_of: FeedOf, api: FakeApi, warehouse: Warehouse
) -> None:
    api.answer = lambda _: (200, {}, [{"order_id": 1, "price": 2}])
    with pytest.raises(SchemaDrift, match="id"):
        land(feed_of(), warehouse)
    assert _rows(warehouse) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"paging": "pages"}, "use cursor, offset, link or none"),
        ({"auth": "basic"}, "use none, bearer, api_key or oauth_client_credentials"),
        ({"auth": "api_key", "apiKeyIn": "cookie"}, "use header or query"),
        ({"retries": "many"}, "retries 'many'"),
        ({"late": "2 days"}, "late: '2 days'"),
    ],
)
def test_a_setting_that_means_nothing_is_a_sentence(
    settings: dict[str, str], sentence: str, feed_of: FeedOf, warehouse: Warehouse
) -> None:
    with pytest.raises(CatalystError, match=sentence):
        land(feed_of(**settings), warehouse)


def test_the_contract_in_the_guide_loads(tmp_path: Path) -> None:
    guide = (REPOSITORY / "docs/feeds-rest.md").read_text(encoding="utf-8")
    (tmp_path / "guide.odcs.yaml").write_text(guide.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert load_feeds(tmp_path)[0].kind == "rest"
