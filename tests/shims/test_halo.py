"""dbt-metricflow's command line with the two modules that stand in for others."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner
from halo import Halo


def test_the_spinner_ends_with_a_sign_and_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    Halo(text="counting [metrics]", spinner="dots").start().succeed()
    Halo(text="counting").start().fail("no metric of that name")
    shown = capsys.readouterr().err
    assert "✔ counting [metrics]" in shown
    assert "✖ no metric of that name" in shown


def test_the_command_line_of_metricflow_starts_without_asking_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt_metricflow.cli.main import cli

    def asked(*arguments: Any) -> NoReturn:
        raise AssertionError(f"asked the network: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", asked)
    done = CliRunner().invoke(cli, ["list", "metrics", "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output
