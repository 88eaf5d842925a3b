"""Results as Great Expectations shows them in its data docs."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaSectionView


def render(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Returns results as HTML, a section for each column.

    Args:
        results: For each rule `type`, `arguments`, `description`, `passed` and `result`, as `data_docs` keeps them.
    """
    shown = ExpectationSuiteValidationResult(
        success=all(result["passed"] for result in results),
        results=[
            ExpectationValidationResult(
                success=result["passed"],
                expectation_config=ExpectationConfiguration(
                    type=result["type"],
                    kwargs=result["arguments"],
                    description=_escaped(result["description"]),
                ),
                result=_escaped(result["result"]),
                exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
            )
            for result in results
        ],
        suite_name="",
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": 0,
            "unsuccessful_expectations": 0,
            "success_percent": None,
        },
        meta={"run_id": {"run_name": "", "run_time": "1970-01-01T00:00:00+00:00"}},
    )
    # The first section is about the run; its place in this warehouse is told by the page around.
    sections = ValidationResultsPageRenderer().render(shown).sections[1:]
    for number, section in enumerate(sections, start=1):
        yield _view().render(  # type: ignore[no-untyped-call]
            {"section": section.to_json_dict(), "section_loop": {"index": number}}
        )


# Each view compiles its templates for itself: half a second a page.
@cache
def _view() -> DefaultJinjaSectionView:
    return DefaultJinjaSectionView()


def _escaped(value: Any) -> Any:
    """The value with its texts as HTML: Great Expectations puts them into its pages as they are."""
    match value:
        case str():
            return html.escape(value)
        case Mapping():
            return {name: _escaped(part) for name, part in value.items()}
        case list() | tuple():
            return [_escaped(part) for part in value]
    return value
