"""Credentials come from the secrets file where the environment does not have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration import settings
from orchestration.errors import CatalystError


def test_the_secrets_file_fills_in_what_the_environment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets.env").write_text("SHOP_URL=from-file\nSHOP_TOKEN='a b'\n", encoding="utf-8")
    monkeypatch.setenv("CATALYST_HOME", str(tmp_path))
    monkeypatch.setenv("SHOP_URL", "from-environment")
    # Set and removed again, so that monkeypatch takes away what the file brings.
    monkeypatch.setenv("SHOP_TOKEN", "")
    monkeypatch.delenv("SHOP_TOKEN")
    settings.load()
    assert (os.environ["SHOP_URL"], os.environ["SHOP_TOKEN"]) == ("from-environment", "a b")


def test_alerts_may_be_named_in_the_secrets_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets.env").write_text("CATALYST_ALERTS=json://localhost/hook\n", encoding="utf-8")
    monkeypatch.setenv("CATALYST_HOME", str(tmp_path))
    monkeypatch.setenv("CATALYST_ALERTS", "")
    monkeypatch.delenv("CATALYST_ALERTS")
    assert settings.load().alerts == "json://localhost/hook"


@pytest.mark.parametrize(
    ("target", "said"),
    [("prod", "set CATALYST_GCP_PROJECT to its id"), ("production", "CATALYST_TARGET: Input")],
)
def test_a_target_that_cannot_be_says_what_to_set(
    target: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATALYST_HOME", str(tmp_path))
    monkeypatch.setenv("CATALYST_TARGET", target)
    with pytest.raises(CatalystError, match=said) as told:
        settings.load()
    # Defaults that are made of it are not at fault.
    assert str(told.value).count("CATALYST_") <= 2


def test_a_project_id_is_all_that_production_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALYST_HOME", str(tmp_path))
    (tmp_path / "secrets.env").write_text("CATALYST_GCP_PROJECT=acme-analytics\n", encoding="utf-8")
    monkeypatch.setenv("CATALYST_GCP_PROJECT", "")
    monkeypatch.delenv("CATALYST_GCP_PROJECT")
    monkeypatch.setenv("CATALYST_TARGET", "prod")
    chosen = settings.load()
    assert (chosen.gcp_project, chosen.landing_bucket) == ("acme-analytics", "acme-analytics-catalyst-landing")
