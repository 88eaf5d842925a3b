"""Looks at the first page of a REST API: where its rows are, and how it says that there is another page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from orchestration.contracts import Kind
from orchestration.errors import CatalystError
from orchestration.samples.sample import PLACEHOLDER, SAMPLE_ROWS, Sample, from_objects, landed, shown

_TIMEOUT_SECONDS = 30
_KEYS = ("token", "key", "api_key", "apikey", "access_token", "secret", "password")
# What a field with the next page's cursor is called, and the parameter that it is usually sent back as.
_NEXT = {
    "next": "cursor",
    "next_cursor": "cursor",
    "nextCursor": "cursor",
    "cursor": "cursor",
    "next_page_token": "page_token",
    "nextPageToken": "pageToken",
}


def look(location: str, address: str, source: str) -> Sample:
    """Reads one page.

    Raises:
        CatalystError: The API does not answer, or not with JSON objects.
    """
    token = f"{source.upper()}_TOKEN"
    headers = {"Accept": "application/json"}
    custom: dict[str, str] = {}
    notes: list[str] = []
    if token in os.environ:
        headers["Authorization"] = f"Bearer {os.environ[token]}"
        custom |= {"auth": "bearer", "token": f"${{{token}}}"}
    answer, link = _get(address, headers, token)
    if location == address:
        location, secret = _without_secret(location, source)
        custom |= secret
        notes += [
            f"The address holds a secret: put it into secrets.env in CATALYST_HOME as {name}."
            for name in PLACEHOLDER.findall(" ".join([location, *secret.values()]))
        ]
    path, objects = _rows(answer)
    if not objects:
        raise CatalystError(f"{shown(address)} answers without a list of JSON objects: check the address.")
    if path:
        custom["dataPath"] = path
    paging = _paging(answer, link)
    if paging["paging"] == "none":
        notes.append(
            "The first page names no next one, so the contract says `paging: none`; if the API has pages, say how."
        )
    custom |= paging
    rows, spellings = landed(from_objects(objects[:SAMPLE_ROWS]))
    return Sample(Kind.REST, {"type": "api", "location": location}, custom, rows, spellings, (), notes)


def _get(address: str, headers: Mapping[str, str], token: str) -> tuple[Any, str]:
    try:
        with urlopen(Request(address, headers=dict(headers)), timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (http or https, as the caller has seen)
            return json.loads(answer.read()), answer.headers.get("Link", "")
    except HTTPError as error:
        with error:
            remedy = (
                f"put its bearer token as {token}=... into secrets.env in CATALYST_HOME and run this again"
                if error.code in (401, 403)
                else "check the address"
            )
        raise CatalystError(f"{shown(address)} answers with status {error.code} ({error.reason}): {remedy}.") from error
    except (URLError, TimeoutError, ConnectionError) as error:
        raise CatalystError(
            f"{shown(address)} does not answer ({error}): check the address, and that it is up."
        ) from error
    except ValueError as error:
        raise CatalystError(f"{shown(address)} does not answer with JSON: check the address.") from error


def _without_secret(location: str, source: str) -> tuple[str, dict[str, str]]:
    """Takes a key out of an address, as the settings by which the landing puts it back."""
    parts = urlsplit(location)
    if parts.password:
        return f"${{{source.upper()}_URL}}", {}
    query = parse_qsl(parts.query, keep_blank_values=True)
    found = next((name for name, _ in query if name.lower() in _KEYS), None)
    if found is None:
        return location, {}
    kept = urlencode([(name, value) for name, value in query if name != found])
    settings = {
        "auth": "api_key",
        "apiKeyName": found,
        "apiKeyIn": "query",
        "apiKey": f"${{{source.upper()}_API_KEY}}",
    }
    return urlunsplit(parts._replace(query=kept)), settings


def _rows(answer: Any) -> tuple[str, list[dict[str, Any]]]:
    """The first list of objects, at the top or up to two levels down, and the path to it."""
    if isinstance(answer, list):
        return "", [item for item in answer if isinstance(item, dict)]
    if isinstance(answer, dict):
        for name, value in answer.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                return name, value
        for name, value in answer.items():
            path, found = _rows(value) if isinstance(value, dict) else ("", [])
            if found:
                return f"{name}.{path}", found
    return "", []


def _paging(answer: Any, link: str) -> dict[str, str]:
    """How the first page says that there is another, as the settings by which the landing asks for it."""
    if 'rel="next"' in link:
        return {"paging": "link"}
    fields = dict(_scalars(answer)) if isinstance(answer, dict) else {}
    for path, value in fields.items():
        name = path.rpartition(".")[2]
        if name in _NEXT:
            if str(value).startswith(("http://", "https://", "/")):
                return {"paging": "link", "nextPath": path}
            return {"paging": "cursor", "nextPath": path, "cursorParam": _NEXT[name]}
    by_name = {path.rpartition(".")[2]: path for path in fields}
    if {"offset", "total"} <= by_name.keys():
        return {"paging": "offset", "totalPath": by_name["total"]}
    return {"paging": "none"}


def _scalars(answer: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in answer.items():
        if isinstance(value, dict):
            yield from _scalars(value, f"{above}{name}.")
        elif not isinstance(value, list):
            yield f"{above}{name}", value
