"""Reads a document of the Open Data Contract Standard so that whatever is wrong with it is told with file and line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path

import jsonschema
import pydantic
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from orchestration.errors import CatalystError

Where = Sequence[str | int]


@dataclass(frozen=True)
class Document:
    """A contract's file and its text, in which a place is a path of keys and positions such as `servers, 0, type`."""

    path: Path
    text: str

    @cached_property
    def _root(self) -> yaml.Node | None:
        return yaml.compose(self.text, Loader=yaml.CSafeLoader)

    def error(self, where: Where, problem: str) -> CatalystError:
        """Returns the error that says what is wrong at a place, with file and line; `problem` ends with the remedy."""
        return CatalystError(f"Contract {self.path}, line {self.line(where)}: {problem}")

    def line(self, where: Where) -> int:
        """Returns the line of a place, or of the nearest thing around it that is there; the first line is 1."""
        node = self._root
        for part in where:
            if isinstance(node, yaml.MappingNode):
                found = [value for key, value in node.value if key.value == part]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                found = node.value[part : part + 1]
            else:
                found = []
            if not found:
                break
            node = found[0]
        return node.start_mark.line + 1 if node else 1


def read(path: Path) -> tuple[Document, OpenDataContractStandard]:
    """Reads a contract and holds it against the standard.

    Raises:
        CatalystError: It is not text, not YAML, or not a contract as the standard has it.
    """
    try:
        document = Document(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise CatalystError(f"Contract {path} is not UTF-8 text ({error.reason}): save it as UTF-8.") from error
    try:
        content = yaml.load(document.text, Loader=yaml.CSafeLoader)  # the safe one, ten times as fast
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalystError(f"Contract {path}, line {line} is not YAML: {error.problem}. Correct the line.") from error
    problem = jsonschema.exceptions.best_match(_standard().iter_errors(content))
    if problem is not None:
        where = [str(part) for part in problem.absolute_path]
        raise CatalystError(
            f"Contract {path}, line {document.line(problem.absolute_path)} ({'.'.join(where) or 'top level'}): "
            f"{problem.message}. Correct it as the Open Data Contract Standard 3 says."
        )
    try:
        return document, OpenDataContractStandard.from_string(document.text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        named = ".".join(str(part) for part in first["loc"])
        raise document.error(first["loc"], f"{named}: {first['msg']}. Correct it.") from error


@cache
def _standard() -> jsonschema.Draft201909Validator:
    schema = resources.files("open_data_contract_standard") / "schema.json"
    return jsonschema.Draft201909Validator(json.loads(schema.read_text(encoding="utf-8")))
