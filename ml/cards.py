"""What is told about a trained model: a card in markdown, and the importance of its features as a picture."""

from collections.abc import Iterable, Mapping
from html import escape

_ROW, _LABELS, _BARS = 20, 170, 300


def importance_svg(importance: Mapping[str, float]) -> str:
    """Bars of the features' importance, the first at the top, as an SVG picture."""
    longest = max([*importance.values(), 1e-9])
    lines = []
    for number, (name, value) in enumerate(importance.items()):
        y, width = number * _ROW, max(value, 0) / longest * _BARS
        lines.append(
            f'<text x="{_LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LABELS}" y="{y + 3}" width="{width:.1f}" height="{_ROW - 6}" fill="#4c78a8"/>'
            f'<text x="{_LABELS + width + 6:.1f}" y="{y + 14}">{value:+.1%}</text>'
        )
    height, width = len(importance) * _ROW, _LABELS + _BARS + 70
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><title>Growth of the error when a feature is shuffled</title>'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(lines)}</svg>\n'
    )


def model_card(
    name: str,
    description: str,
    facts: Mapping[str, str],
    metrics: Mapping[str, float],
    importance: Mapping[str, float],
    params: Mapping[str, float],
) -> str:
    """A page on one version: what it is for, what it learned from, how good it is, what it looks at."""
    leading = list(importance.items())[:10]
    parts = [
        f"# {name}",
        description.strip(),
        "## Data",
        _table(("what", "value"), facts.items()),
        "## Errors on days that it has not seen",
        _table(("metric", "value"), ((metric, number(value)) for metric, value in metrics.items())),
        "## What it looks at",
        "Growth of the error when the values of a feature are shuffled.",
        _table(("feature", "growth"), ((feature, f"{value:+.1%}") for feature, value in leading)),
        "## Parameters",
        _table(("parameter", "value"), ((param, f"{value:g}") for param, value in params.items())),
    ]
    return "\n\n".join(parts) + "\n"


def number(value: float) -> str:
    """A figure as people read it: whole numbers whole, others with four digits."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join([f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows)])
