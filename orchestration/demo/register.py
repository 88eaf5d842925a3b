"""The company's own papers: company.json, which says who it is and how far its systems have been written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.demo.company import Company, Regime
from orchestration.errors import CatalystError


@dataclass(frozen=True)
class Register:
    """What company.json holds.

    Attributes:
        generated_through: Last day that all systems hold; None before the first.
        advancing_to: Day that an advance was under way to when this was written; a next one has to get there.
    """

    company: Company
    generated_through: date | None = None
    advancing_to: date | None = None


def demo_folder(home: Path) -> Path:
    """Returns the folder of the source systems."""
    return home / "demo"


def read_register(home: Path) -> Register | None:
    """Returns the company that lives in a home, None before its foundation.

    Raises:
        CatalystError: company.json cannot be read.
    """
    path = demo_folder(home) / "company.json"
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Register(
            Company(
                opened=date.fromisoformat(found["opened"]),
                seed=int(found["seed"]),
                scale=float(found["scale"]),
                regime=_regime(found.get("regime")),
            ),
            *(
                None if found[name] is None else date.fromisoformat(found[name])
                for name in ("generated_through", "advancing_to")
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CatalystError(
            f"The simulated company's {path} cannot be read ({error}): delete {path.parent} and run again."
        ) from error


def write_register(home: Path, register: Register) -> None:
    """Writes company.json in one stroke."""
    company = register.company
    content: dict[str, Any] = {
        "seed": company.seed,
        "scale": company.scale,
        "opened": str(company.opened),
        "generated_through": register.generated_through and str(register.generated_through),
        "advancing_to": register.advancing_to and str(register.advancing_to),
    }
    if company.regime:
        content["regime"] = {"since": str(company.regime.since), "factors": dict(company.regime.factors)}
    replace_file(demo_folder(home) / "company.json", (json.dumps(content, indent=2) + "\n").encode())


def _regime(found: dict[str, Any] | None) -> Regime | None:
    if found is None:
        return None
    return Regime(date.fromisoformat(found["since"]), tuple(sorted(found["factors"].items())))


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file so that whoever looks sees the whole of it or nothing, also after a kill."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name, which no feed's pattern matches: what a kill leaves behind, the next try uses up.
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
