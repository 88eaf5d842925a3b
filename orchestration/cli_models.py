"""The commands for models: which versions there are, how good they are and why they are in use or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from ml.cards import number
from orchestration import cli_shared, settings, versions
from orchestration.errors import CatalystError
from orchestration.progress import console
from orchestration.versions import Version

if TYPE_CHECKING:
    from orchestration.registry import Registry

_because = click.option("--reason", default="", metavar="TEXT", help="Kept with the decision.")


@click.group(invoke_without_command=True)
@cli_shared.as_json
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the versions of the models with their errors and why each was promoted or archived.

    `catalyst models promote`, `rollback` and `retrain` overrule the daily run; who, when and why is kept.
    """
    if context.invoked_subcommand:
        return
    with cli_shared.problems(as_json):
        registry = _registry()
        found = [one for name in registry.names() for one in registry.versions(name)]
    if as_json:
        click.echo(json.dumps([version.as_json() for version in found], indent=2, ensure_ascii=False))
    elif found:
        _show(found)
    else:
        console.print("No model has been trained yet: `catalyst run` trains the first versions.")


@models.command()
@click.argument("name")
@click.argument("version")
@_because
def promote(name: str, version: str, reason: str) -> None:
    """Make VERSION of the model NAME the champion, whatever the rule of promotion said.

    It predicts from the last date that was run on: run that date again to have its predictions replaced.
    """
    registry, known = _known(name)
    _choose(registry, versions.find(known, name, version), reason or "promoted by hand")


@models.command()
@click.argument("name")
@click.argument("version", required=False)
@_because
def rollback(name: str, version: str | None, reason: str) -> None:
    """Make the champion before the present one, or VERSION, the champion of the model NAME again."""
    registry, known = _known(name)
    wanted = versions.find(known, name, version) if version else versions.previous(known, name)
    _choose(registry, wanted, reason or "rolled back by hand")


@models.command()
@click.argument("name")
@_because
def retrain(name: str, reason: str) -> None:
    """Have the next run train a challenger of the model NAME, however young the last one is."""
    registry, _ = _known(name)
    asked = registry.ask(name, reason or "asked for by hand")
    console.print(f"The next run as of {asked.as_of} or later trains {name}.")


def _registry() -> Registry:
    from orchestration.registry import Registry

    return Registry(settings.load().mlflow_uri)


def _known(name: str) -> tuple[Registry, list[Version]]:
    registry = _registry()
    known = registry.versions(name)
    if not known:
        there = ", ".join(registry.names()) or "none"
        raise CatalystError(f"No model {name} has been trained; there are: {there}. `catalyst run` trains models.")
    return registry, known


def _choose(registry: Registry, version: Version, reason: str) -> None:
    since = registry.promote(version, reason).as_of
    console.print(
        f"Version {version.number} of {version.name} is the champion as of {since}. "
        f"`catalyst run --as-of {since}` predicts by it."
    )


def _show(found: Sequence[Version]) -> None:
    headers = ("name", "version", "aliases", "trained as of", "metrics", "decided", "reason")
    table = cli_shared.table("Models", *headers, numbers=("version",))
    for version in found:
        last = version.last_decision
        table.add_row(
            version.name,
            str(version.number),
            ", ".join(version.aliases),
            version.as_of.isoformat(),
            "\n".join(f"{metric} {number(value)}" for metric, value in version.metrics.items()),
            f"{last.outcome} by {last.by}\n{last.at[:16].replace('T', ' ')}" if last else "",
            escape(last.reason) if last else "",
        )
    cli_shared.show(table)
