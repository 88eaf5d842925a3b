"""Asks an API for a page until it answers or patience ends, and says in a sentence what went wrong.

dlt brings paging and ways to log in. Its own retries know neither jitter nor a bound on the time, cut a long
`Retry-After` short, and send an expired token again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import tenacity
from dlt.common import jsonpath
from dlt.sources.helpers.requests import HTTPError, Request, RequestException, Response, Session
from dlt.sources.helpers.requests.retry import (
    DEFAULT_RETRY_EXCEPTIONS,
    DEFAULT_RETRY_STATUS,
    wait_exponential_retry_after,
)
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, AuthConfigBase, BearerTokenAuth, OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    HeaderLinkPaginator,
    JSONLinkPaginator,
    JSONResponseCursorPaginator,
    OffsetPaginator,
    SinglePagePaginator,
)

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing.objects import parse

# Where a page is to be had: an address, and what is asked of it.
Place = dict[str, Any]
_NO_CONTENT = 204
_SECRETS = ("token", "apiKey", "clientSecret")


class ApiFailure(CatalystError):  # noqa: N818 - it is the API that has failed
    """The API gave no page, for good.

    Attributes:
        status: What it answered with; None where it gave no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Api(RESTClient):
    """The API of a feed, as its contract describes it."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        patience, backoff = _number(feed, "patienceSeconds", 300), _number(feed, "backoffSeconds", 1)
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(int(_number(feed, "retries", 8)) + 1)
            | tenacity.stop_before_delay(patience),
            # Clients that were turned away together must not come back together, hence the random part.
            wait=wait_exponential_retry_after(multiplier=backoff, max=patience) + tenacity.wait_random(0, backoff),
            retry=_may_pass,
            retry_error_callback=_last_outcome,
        )
        session = Session(timeout=_number(feed, "timeoutSeconds", 60), raise_for_status=False)
        super().__init__(
            base_url=feed.setting("location"),
            auth=_auth(feed, session),
            session=session,
            data_selector=jsonpath.compile_path(feed.setting("dataPath", "$")),
        )

    def pages(self, query: Place, start: Place | None) -> Iterator[tuple[list[Any], Place | None]]:
        """Yields the rows of each page, and where the next page is; None after the last.

        Args:
            query: What the first page is asked with.
            start: Where to go on; at the first page without it.

        Raises:
            ApiFailure: A page could not be had.
        """
        path, params = (start["url"], start["params"]) if start else ("", query)
        paginator = _paginator(self.feed, params)
        before: Any = None
        seen: set[str] = set()
        try:
            # dlt looks at the status in a hook unless it is given one; `_send_request` has done so by then.
            for page in self.paginate(path, params=params, paginator=paginator, hooks={"response": []}):
                following = self._following(page.request) if paginator.has_next_page else None
                repeats = str(following) in seen
                if repeats and not page:
                    # Some APIs say that there is nothing more by an empty page that leads to itself.
                    following = None
                elif repeats or (isinstance(paginator, OffsetPaginator) and page and page == before):
                    # It would go on forever: by a next page that was read before, or an offset that nobody heeds.
                    raise self._failure("leads to the same page again and again. Check `paging` and its settings")
                seen.add(str(following))
                before = list(page)
                yield before, following
                if following is None:
                    return
        except ValueError as error:
            raise self._failure(f"cannot be paged through ({error}). Check `paging` and its settings") from error

    def extract_response(self, response: Response, data_selector: jsonpath.TJsonPath) -> list[Any]:
        """Returns the rows of a page; unlike dlt, it tells a page without rows from one without the place for them."""
        document = response.json()
        if response.status_code == _NO_CONTENT:
            return []
        found = jsonpath.find_values(data_selector, document)
        if not found:
            raise self._failure(f"has no `{data_selector}` in its answer{_start(response)}. Correct `dataPath`")
        rows = found[0] if len(found) == 1 else found
        return rows if isinstance(rows, list) else [] if rows is None else [rows]

    def _send_request(self, request: Request, **kwargs: Any) -> Response:
        try:
            response: Response = self._retrying(self._attempt, request, **kwargs)
        except HTTPError as error:
            raise self._refused(_answer(error), "has no token for us, as `tokenUrl`") from error
        except ValueError as error:
            what = f"cannot be asked ({error}). Check `location`, and `tokenUrl` where there is one,"
            raise self._failure(what) from error
        except RequestException as error:
            what = f"gave no answer ({type(error).__name__}){self._effort()}. Check that it is up, and `location`"
            raise self._failure(what) from error
        if not response.ok or response.is_redirect:
            raise self._refused(response)
        try:
            # Bytes that are no UTF-8 pass, and are shown as escapes once they land.
            text = response.content.decode("utf-8-sig", "surrogateescape")
            document = None if response.status_code == _NO_CONTENT else parse(text)
        except ValueError as error:
            what = "a page of HTML" if b"<html" in response.content[:1000].lower() else "something"
            raise self._failure(f"answered with {what} that is no JSON{_start(response)}. Check `location`") from error
        # Read once and exactly; dlt asks the response for it several times.
        response.json = lambda **_: document  # type: ignore[method-assign]
        return response

    def _attempt(self, request: Request, **kwargs: Any) -> Response:
        # A key in a header of its own would follow a redirect to wherever it leads.
        kwargs["allow_redirects"] = self.auth is None
        response = super()._send_request(request, **kwargs)
        if response.status_code == 401 and isinstance(self.auth, OAuth2ClientCredentials):
            # A token can end before its time.
            self.auth.access_token = None
            response = super()._send_request(request, **kwargs)
        return response

    def _following(self, request: Request) -> Place:
        """The next page, without the key, which some APIs repeat in their links: it is stored in the warehouse."""
        url = str(request.url)
        if isinstance(self.auth, APIKeyAuth) and self.auth.location != "header":
            parts = urlsplit(url)
            kept = [(name, value) for name, value in parse_qsl(parts.query, True) if name != self.auth.name]
            url = request.url = parts._replace(query=urlencode(kept)).geturl()
        if self.auth is not None and _origin(url) != _origin(self.base_url):
            raise self._failure(
                f"names a next page at another address, {_origin(url)}, which must not see our credentials."
                " Check `location`"
            )
        return {"url": url, "params": dict(cast("Place", request.params or {}))}

    def _refused(self, response: Response, what: str = "") -> ApiFailure:
        status = response.status_code
        if response.is_redirect:
            remedy = f"Write the address that it names, {response.headers['Location']}, as `location`"
        elif status in (401, 403):
            remedy = "Check the credentials of `auth`"
        elif status in DEFAULT_RETRY_STATUS:
            remedy = "Try later, or raise `retries` and `patienceSeconds`"
        else:
            remedy = "Check `location` and what is asked"
        said = f"answered {status} {response.reason}{self._effort()}{_start(response)}. {remedy}"
        return self._failure(f"{what} {said}".strip(), status)

    def _failure(self, what: str, status: int | None = None) -> ApiFailure:
        message = (
            f"Feed {self.feed.id}: the API at {_origin(self.base_url)}{urlsplit(self.base_url).path} {what} in "
            f"{self.feed.path}, then run again: reading goes on where it stopped."
        )
        for name in _SECRETS:
            if name in self.feed.source:
                message = message.replace(self.feed.setting(name), "***")
        return ApiFailure(message, status)

    def _effort(self) -> str:
        tried = self._retrying.statistics
        if tried["attempt_number"] == 1:
            return ""
        return f" to {tried['attempt_number']} requests within {time.monotonic() - tried['start_time']:.0f} s"


class _ClientCredentials(OAuth2ClientCredentials):
    def parse_access_token(self, response_json: Any) -> str:
        if not isinstance(response_json, dict) or not response_json.get("access_token"):
            raise ValueError("the token endpoint answered without an access_token")
        return super().parse_access_token(response_json)


class _Offsets(OffsetPaginator):
    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        # An API may answer with fewer rows than it was asked for; dlt would skip the rest.
        self.value_step = len(data or ())
        super().update_state(response, data)


def _paginator(feed: Feed, params: Place) -> BasePaginator:
    paging = feed.setting("paging", "cursor" if "nextPath" in feed.source else "none")
    if paging == "none":
        return SinglePagePaginator()
    if paging == "cursor":
        return JSONResponseCursorPaginator(feed.setting("nextPath"), feed.setting("cursorParam", "cursor"))
    if paging == "link":
        return JSONLinkPaginator(feed.setting("nextPath")) if "nextPath" in feed.source else HeaderLinkPaginator()
    if paging == "offset":
        offset = feed.setting("offsetParam", "offset")
        return _Offsets(
            limit=int(_number(feed, "pageSize", 1000)),
            offset=params.get(offset, 0),
            offset_param=offset,
            limit_param=feed.setting("limitParam", "limit"),
            total_path=feed.setting("totalPath") if "totalPath" in feed.source else None,
        )
    raise CatalystError(f"Feed {feed.id} has the paging {paging!r}: use cursor, offset, link or none in {feed.path}.")


def _auth(feed: Feed, session: Session) -> AuthConfigBase | None:
    kind = feed.setting("auth", "none")
    if kind == "none":
        return None
    if kind == "bearer":
        return BearerTokenAuth(token=feed.setting("token"))
    if kind == "api_key":
        place: Any = feed.setting("apiKeyIn", "header")
        if place in ("header", "query"):
            return APIKeyAuth(feed.setting("apiKeyName", "X-Api-Key"), feed.setting("apiKey"), place)
        raise CatalystError(f"Feed {feed.id} has apiKeyIn {place!r}: use header or query in {feed.path}.")
    if kind == "oauth_client_credentials":
        return _ClientCredentials(
            access_token_url=feed.setting("tokenUrl"),
            client_id=feed.setting("clientId"),
            client_secret=feed.setting("clientSecret"),
            access_token_request_data={"scope": feed.setting("scope")} if "scope" in feed.source else {},
            session=session,
        )
    raise CatalystError(
        f"Feed {feed.id} has the auth {kind!r}: use none, bearer, api_key or oauth_client_credentials in {feed.path}."
    )


def _number(feed: Feed, name: str, default: float) -> float:
    text = feed.setting(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise CatalystError(f"Feed {feed.id} has {name} {text!r}: write a number that is not negative in {feed.path}.")
    return number


def _may_pass(state: tenacity.RetryCallState) -> bool:
    """Whether another attempt may end better: there was no answer, or one that speaks of load or of a failure."""
    error = state.outcome and state.outcome.exception()
    if isinstance(error, HTTPError):
        return _answer(error).status_code in DEFAULT_RETRY_STATUS
    if error is not None:
        return isinstance(error, DEFAULT_RETRY_EXCEPTIONS)
    return _last_outcome(state).status_code in DEFAULT_RETRY_STATUS


def _answer(error: HTTPError) -> Response:
    # Only answers are made into this error, though the library's types allow for one without.
    return cast("Response", error.response)


def _last_outcome(state: tenacity.RetryCallState) -> Any:
    return state.outcome and state.outcome.result()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _start(response: Response) -> str:
    text = " ".join(response.content[:1000].decode("utf-8", "replace").split())
    return f" ({text[:200]})" if text else ""
