"""The arguments of Google's resources, read from the bindings of another tool; runs in the environment beside.

Terraform asks a provider for its schema before it checks anything, and Google's provider comes from a registry that
tests do not reach. The bindings were generated from that schema and say all that Terraform asks: names, types, nesting,
and what is required, optional or filled in by Google.
"""

from __future__ import annotations

import json
import re
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import Any

_SECTION = re.compile(r"^(?:class|function) (\w+)", re.MULTILINE)
_KIND = re.compile(r"^class (\w+) extends cdktn\.Terraform(Resource|DataSource|Provider) ", re.MULTILINE)
_NAME = re.compile(r'static tfResourceType = "(\w+)"')
_ARGUMENT = re.compile(
    r"^ +'?(?P<name>\w+)'?: \{\s+value: (?P<value>.+),\s+isBlock: (?P<is_block>\w+),"
    r'\s+type: "(?P<nesting>\w+)",\s+storageClassType: "(?P<type>\w+)"',
    re.MULTILINE,
)
_STRUCT = re.compile(r"(?<!\.)\b(\w+ToHclTerraform)\b")
_TRAITS = re.compile(r"// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)")
_OUTPUT = re.compile(r"""get(\w+)Attribute\('(\w+)'\)|new cdktn\.(\w+)\(this, "(\w+)\"""")
_TYPES = {"string": "string", "number": "number", "boolean": "bool"}


def _type(written: str, nesting: str = "") -> Any:
    """`stringList` is ["list", "string"] in Terraform's own notation."""
    name = written[0].lower() + written[1:]
    if name in _TYPES:
        return _TYPES[name]
    for suffix in ("List", "Set", "Map"):
        element = name.removesuffix(suffix)
        if element != name and (element in _TYPES or element == "list"):
            outer = "set" if nesting == "set" else suffix.lower()
            return [outer, _TYPES.get(element, "string")]
    return "dynamic"


def _block(sections: dict[str, str], arguments: str, traits_in: str) -> dict[str, Any]:
    traits = {name: words for name, *words in _TRAITS.findall(traits_in)}
    attributes: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    for found in _ARGUMENT.finditer(arguments):
        name, nesting = found["name"], found["nesting"]
        computed, optional, required = (word == "true" for word in traits.get(name, ("false", "true", "false")))
        if found["is_block"] == "false":
            attributes[name] = {
                "type": _type(found["type"], nesting),
                "required": required,
                "optional": optional,
                "computed": computed,
            }
            continue
        # Any of several is listed by a mapper.
        struct = _STRUCT.findall(found["value"])[-1]
        reference = f"{struct[0].upper()}{struct[1:].removesuffix('ToHclTerraform')}OutputReference"
        blocks[name] = {
            "nesting": "single" if nesting == "struct" else nesting,
            "min_items": int(required and nesting != "struct"),
            "max_items": int("Mapper" not in found["value"] and nesting != "struct"),
            "block": _block(sections, sections[struct], sections.get(reference, "")),
        }
    return {"attributes": attributes, "blocks": blocks}


def _read(text: str) -> tuple[str, str, dict[str, Any]]:
    starts = [*_SECTION.finditer(text)]
    ends = [found.start() for found in starts[1:]] + [len(text)]
    sections = {found[1]: text[found.start() : end] for found, end in zip(starts, ends, strict=True)}
    declared = [*_KIND.finditer(text)][-1]
    own = sections[declared[1]]
    block = _block(sections, own, own)
    for written, name, written_map, name_map in _OUTPUT.findall(own):
        if name or name_map:
            given = {"type": _type(written or written_map), "required": False, "optional": False, "computed": True}
            block["attributes"].setdefault(name or name_map, given)
    for name, computed, *_ in _TRAITS.findall(own):
        if computed == "true" and name not in block["attributes"] and name not in block["blocks"]:
            lists = {"type": "dynamic", "required": False, "optional": False, "computed": True}
            block["attributes"][name] = lists
    named = _NAME.search(own)
    return declared[2], named[1] if named else "", block


def main(target: Path) -> None:
    """Writes the schema of every resource but the dozen that are spread over several files."""
    schema: dict[str, Any] = {"Resource": {}, "DataSource": {}, "Provider": {}}
    # Importing the package would ask for what runs the bindings.
    (archive,) = Path(sysconfig.get_path("purelib"), "cdktn_provider_google", "_jsii").glob("*.tgz")
    with tarfile.open(archive) as bindings:
        for member in bindings:
            content = bindings.extractfile(member) if re.search(r"/lib/[^/]+/index\.js$", member.name) else None
            if content is None or member.name.endswith("/provider-functions/index.js"):
                continue
            # What follows is a copy of the whole for debuggers.
            text = content.read().partition(b"//# sourceMappingURL")[0].decode()
            try:
                kind, name, block = _read(text)
            except (LookupError, RecursionError):
                continue
            schema[kind][name] = block
    target.write_text(json.dumps(schema), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
