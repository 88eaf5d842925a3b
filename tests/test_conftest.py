"""A skip that hides a missing part would be a silent pass, so the rule itself is tested."""

import os
from collections.abc import Callable

import pytest

Requires = Callable[[object, str], None]


def test_a_part_that_is_there_is_no_reason_to_skip(requires: Requires) -> None:
    requires("/usr/bin/chromium", "chromium is missing")


def test_a_missing_part_skips_and_says_why(requires: Requires, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CATALYST_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="chromium is missing"):
        requires(None, "chromium is missing")


def test_a_missing_part_fails_where_all_parts_are_required(requires: Requires, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALYST_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="chromium is missing"):
        requires(None, "chromium is missing")


def test_tests_send_no_telemetry() -> None:
    assert os.environ["DO_NOT_TRACK"] == "1"
