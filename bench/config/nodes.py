"""PyYAML, held to what a configuration needs: one shallow document without tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from yaml.reader import ReaderError

if TYPE_CHECKING:
    from yaml.nodes import Node

MAX_DEPTH = 16  # the deepest place that means anything is 5; composing recurses
MAX_VALUES = 20_000  # takes PyYAML about a second
_ALLOWED = "YAML, indented with spaces, never tabs"


class NotYaml(Exception):  # noqa: N818 - named for what it says of the text
    """The text can't be used, from `line` on (the first is 1)."""

    def __init__(self, line: int, found: str, allowed: str = _ALLOWED) -> None:
        super().__init__(found)
        self.line, self.found, self.allowed = line, found, allowed


class _Loader(yaml.SafeLoader):
    """Only composes: values are made of the nodes by `source`, with their lines."""

    depth = 0
    count = 0  # as written; `source` counts again what aliases stand for

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if getattr(event, "tag", None) is not None:
            raise NotYaml(line, "a tag (a word that starts with !)", "values without tags")
        if self.depth == MAX_DEPTH:
            raise NotYaml(line, f"more than {MAX_DEPTH} levels", "lists and mappings less deep")
        if self.count == MAX_VALUES:
            raise NotYaml(line, f"more than {MAX_VALUES} keys and values", "a smaller file")
        self.count += 1
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def compose(text: str) -> Node | None:
    """The document's root, None when there is none.

    Raises:
        NotYaml: it isn't YAML, or has tags, or is nested too deep.
    """
    try:
        loader = _Loader(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYaml(line, f"the character U+{ord(text[error.position]):04X}") from error
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotYaml(line, f"text that is not YAML ({_reason(error)})") from error
    except (ValueError, OverflowError) as error:  # "\UFFFFFFFF", %YAML with a huge number
        raise NotYaml(loader.line + 1, "an escape or a number out of range") from error


def _reason(error: yaml.MarkedYAMLError) -> str:
    """What PyYAML says; its context tells where, say, an unclosed bracket was opened."""
    if not error.context:
        return str(error.problem)
    if error.context_mark is None or error.context_mark.line == 0:
        return f"{error.context}: {error.problem}"
    return f"{error.context} that begins on line {error.context_mark.line + 1}: {error.problem}"
