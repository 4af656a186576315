"""A YAML file as plain values that remember their lines.

Stricter than YAML on purpose: no tags or second documents, no key twice, and only scalars that
every YAML version reads alike (`yes` and `0x10` stay text). Anchors, aliases and merge keys
(`<<: *base`) are allowed: what they stand for counts towards the limits. Whatever bytes
the file holds, reading it ends in values or in `BadInputError`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bench.config.mistakes import Mistake, refuse
from bench.config.nodes import MAX_DEPTH, MAX_VALUES, NotYaml, compose
from bench.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from yaml.nodes import Node

MAX_BYTES = 1 << 20
WHOLE = re.compile(r"[-+]?[0-9]{1,18}")  # longer ones are out of every range, and slow to read
NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_MERGE = "<<"
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}

Loc = tuple[int | str, ...]  # the way to a value: ("matrix", "workers", 0)


def scalar(text: str) -> str | float | bool | None:
    """The value of unquoted text: whole number, number, true or false, nothing, or text."""
    if text in _WORDS:
        return _WORDS[text]
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else text


@dataclass(slots=True)
class Source:
    """What a file says: `data` is made of dict, list, str, int, float, bool and None."""

    name: str
    data: object = None
    lines: dict[Loc, int] = field(default_factory=dict)
    texts: dict[Loc, str] = field(default_factory=dict)  # scalars as they were written
    mistakes: list[Mistake] = field(default_factory=list)  # that didn't stop the reading
    count: int = 0  # of values, each time that an alias repeats them
    merging: int = 0  # how many merges deep we are

    def at(self, loc: Loc) -> object:
        """The value there, or None."""
        value = self.data
        for step in loc:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                return None
        return value

    def line(self, loc: Loc) -> int:
        """The line of the value, or of the nearest one around it; the first is 1."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def found(self, loc: Loc) -> str:
        """The value in a message's words."""
        value = self.at(loc)
        if isinstance(value, dict | list):
            kind = "mapping" if isinstance(value, dict) else "list"
            return f"a {kind}" if value else f"an empty {kind}"
        text = self.texts.get(loc, "")
        return shown(text) if text else "nothing"

    def mistake(self, loc: Loc, found: str, allowed: str) -> Mistake:
        """What is wrong at a place of this file."""
        line = self.line(loc)
        where = f"{shown(self.name, 300)}:{line}"
        return Mistake(f"{where}: {key_path(loc)}" if loc else where, found, allowed, line)


def key_path(loc: Loc) -> str:
    """`matrix.workers[0]`."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in loc]
    return "".join(steps).removeprefix(".")


def read(path: Path) -> Source:
    """The file's values and lines, with the mistakes that don't stop the reading.

    Raises:
        BadInputError: the file can't be read, or is not YAML of the kind that is allowed.
    """
    source = Source(str(path))
    try:
        root = compose(_text(path))
        source.data = _value(root, (), source) if root else None
    except NotYaml as error:
        where = f"{shown(source.name, 300)}:{error.line}"
        refuse([Mistake(where, shown(error.found, 160), error.allowed, error.line)])
    return source


def _text(path: Path) -> str:
    name = shown(str(path), 300)
    try:
        if path.exists() and not path.is_file():  # a pipe or a device might never end
            refuse([Mistake(name, "something that is not a file", "a YAML file")])
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        refuse([Mistake(name, "no such file", "the path of a YAML file (--config FILE)")])
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        refuse([Mistake(name, f"a file that can't be read ({reason})", "a readable YAML file")])
    if len(content) > MAX_BYTES:
        refuse([Mistake(name, "a file over 1 MiB", "at most 1 MiB")])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
        refuse([Mistake(f"{name}:{line}", byte, "text in UTF-8", line)])


def _value(node: Node, loc: Loc, source: Source) -> object:
    """The node's plain value; notes the lines and texts of it and of all in it.

    Raises:
        NotYaml: with what its aliases stand for it is too large or too deep, perhaps endless.
    """
    line = node.start_mark.line + 1
    source.count += 1
    if source.count > MAX_VALUES:
        raise NotYaml(line, f"more than {MAX_VALUES} keys and values", "a smaller file")
    if len(loc) > MAX_DEPTH:
        raise NotYaml(line, f"more than {MAX_DEPTH} levels", "lists and mappings less deep")
    source.lines.setdefault(loc, line)
    if isinstance(node, MappingNode):
        return _mapping(node, loc, source)
    if isinstance(node, SequenceNode):
        return [_value(item, (*loc, index), source) for index, item in enumerate(node.value)]
    text: str = node.value
    quoted = isinstance(node, ScalarNode) and node.style is not None
    source.texts[loc] = json.dumps(text, ensure_ascii=False) if quoted else text
    return text if quoted else scalar(text)


def _mapping(
    node: MappingNode, loc: Loc, source: Source, taken: frozenset[str] = frozenset()
) -> dict[str, object]:
    """Keys are the text they are written as, so that `1:` is the name "1".

    Those `taken` already, by a mapping that merges this one, are left out.
    """
    values: dict[str, object] = {}
    merged: list[Node] = []
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            where = f"{shown(source.name, 300)}:{line}"
            source.mistakes.append(Mistake(where, "a list or mapping as a key", "a name", line))
            continue
        key: str = key_node.value
        here = (*loc, key)
        if key == _MERGE and key_node.style is None:
            sequence = isinstance(value_node, SequenceNode)
            merged += value_node.value if sequence else [value_node]
            continue
        if key in values:
            first = f"this key again (first on line {source.lines[here]})"
            where = f"{shown(source.name, 300)}:{line}: {key_path(here)}"
            source.mistakes.append(Mistake(where, first, "each key once", line))
            continue
        if key in taken:
            continue
        source.lines[here] = line
        values[key] = _value(value_node, here, source)
    for node_merged in merged:
        values |= _merged(node_merged, loc, source, taken | values.keys())
    return values


def _merged(node: Node, loc: Loc, source: Source, taken: frozenset[str]) -> dict[str, object]:
    """The values of `<<: *base` whose keys aren't taken (https://yaml.org/type/merge.html)."""
    line = node.start_mark.line + 1
    if not isinstance(node, MappingNode):
        where = f"{shown(source.name, 300)}:{line}: {key_path((*loc, _MERGE))}"
        allowed = "an alias of a mapping, or a list of such"
        source.mistakes.append(Mistake(where, "something else", allowed, line))
        return {}
    if source.merging == MAX_DEPTH:
        raise NotYaml(line, f"more than {MAX_DEPTH} merges in one another", "fewer")
    source.merging += 1
    values = _mapping(node, loc, source, taken)
    source.merging -= 1
    return values
