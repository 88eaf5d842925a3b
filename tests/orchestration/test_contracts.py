"""A contract is understood, or refused with a sentence that names the file, the line and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.contracts import Kind, load_feeds
from orchestration.errors import CatalystError
from tests.orchestration.conftest import MakeFeed, column, contract

CSV = {"type": "local", "path": "${SHOP}/*.csv", "format": "csv"}


def test_the_server_decides_the_kind(make_feed: MakeFeed) -> None:
    database = {"type": "custom", "customProperties": [{"property": "url", "value": "sqlite:///x"}]}
    rest = {"type": "api", "location": "http://localhost"}
    assert make_feed("a", CSV, [column("id")]).kind is Kind.FILES
    assert make_feed("b", database, [column("id")]).kind is Kind.DATABASE
    stream = {"type": "kafka", "host": "localhost:9092", "customProperties": [{"property": "topic", "value": "t"}]}
    bucket = {"type": "custom", "customProperties": [{"property": "location", "value": "gs://shop/*.csv"}]}
    assert make_feed("c", rest, [column("id")]).kind is Kind.REST
    assert make_feed("d", stream, [column("id")]).kind is Kind.STREAM
    assert make_feed("e", {"type": "s3", "location": "s3://shop/*.csv"}, [column("id")]).kind is Kind.FILES
    assert make_feed("f", bucket, [column("id")]).kind is Kind.FILES


def test_the_key_stands_in_the_order_of_its_positions(make_feed: MakeFeed) -> None:
    feed = make_feed(
        "a",
        CSV,
        [column("day", primaryKey=True, primaryKeyPosition=2), column("shop", primaryKey=True, primaryKeyPosition=1)],
    )
    assert feed.key == ("shop", "day")
    assert all(item.required for item in feed.columns)


def test_placeholders_come_from_the_environment(make_feed: MakeFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = make_feed("a", CSV, [column("id")])
    monkeypatch.setenv("SHOP", "/data/shop")
    assert feed.setting("path") == "/data/shop/*.csv"
    monkeypatch.delenv("SHOP")
    with pytest.raises(CatalystError, match="environment variable SHOP is not set"):
        feed.setting("path")


def _broken(tmp_path: Path, text: str) -> str:
    (tmp_path / "a.odcs.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalystError) as caught:
        load_feeds(tmp_path)
    return str(caught.value)


def test_text_that_is_not_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "a.odcs.yaml, line 2 is not YAML" in _broken(tmp_path, "id: a\nname: ]\n")


def test_a_field_that_the_standard_does_not_know_is_refused_with_its_line(tmp_path: Path) -> None:
    document = contract("a", CSV, [column("id", requird=True)])
    text = yaml.safe_dump(document, sort_keys=False)
    line = next(number for number, content in enumerate(text.splitlines(), 1) if "- name: id" in content)
    said = _broken(tmp_path, text)
    assert f"line {line} (schema.0.properties.0)" in said
    assert "requird" in said


@pytest.mark.parametrize(
    ("server", "secret"),
    [
        ({"type": "custom", "customProperties": [{"property": "url", "value": "mysql://me:geheim@db/shop"}]}, "url"),
        (
            {
                "type": "api",
                "location": "http://localhost",
                "customProperties": [{"property": "token", "value": "geheim"}],
            },
            "token",
        ),
    ],
)
def test_a_secret_in_clear_is_refused_with_its_line(tmp_path: Path, server: dict[str, Any], secret: str) -> None:
    text = yaml.safe_dump(contract("a", server, [column("id")]), sort_keys=False)
    line = next(number for number, content in enumerate(text.splitlines(), 1) if "- server:" in content)
    said = _broken(tmp_path, text)
    assert f"line {line}: the server setting {secret} holds a secret in clear" in said
    assert "geheim" not in said


def test_a_password_from_the_environment_is_no_secret_in_clear(make_feed: MakeFeed) -> None:
    server = {"type": "custom", "customProperties": [{"property": "url", "value": "mysql://me:${PASSWORD}@db/shop"}]}
    assert make_feed("a", server, [column("id")]).kind is Kind.DATABASE


def test_a_dataset_that_is_not_raw_is_refused(tmp_path: Path) -> None:
    document = contract("a", CSV, [column("id")])
    document["schema"][0]["physicalName"] = "staging.a"
    assert "must be raw_<source>.<table>" in _broken(tmp_path, yaml.safe_dump(document))


def test_a_cursor_that_is_no_column_is_refused(tmp_path: Path) -> None:
    said = _broken(tmp_path, yaml.safe_dump(contract("a", CSV, [column("id")], cursor="entry_id")))
    assert "cursor names 'entry_id', which is not among its columns" in said


def test_two_contracts_for_one_table_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.odcs.yaml").write_text(yaml.safe_dump(contract("t", CSV, [column("id")])))
    with pytest.raises(CatalystError, match="Two contracts describe raw_shop.t"):
        load_feeds(tmp_path)


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalystError, match="There are no feeds"):
        load_feeds(tmp_path)
