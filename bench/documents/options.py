"""The table of all options, made from the command line itself."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import arguments, text
from bench.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN = "<!-- options: begin (made by `nox -s docs`; do not edit) -->"
END = "<!-- options: end -->"


@dataclass(frozen=True, slots=True)
class Option:
    """As it is typed, what follows it, and what it does."""

    name: str
    value: str
    help: str


def into(page: str) -> str:
    """The page with its table made anew.

    Raises:
        BadInputError: the two markers are missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInputError(f"docs/options.md: the markers are missing: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def table() -> str:
    """An option a line, with the sessions that have it."""
    found: dict[Option, list[str]] = {}
    for command, option in options():
        found.setdefault(option, []).append(command)
    lines = [
        f"| {text.code(f'{option.name} {option.value}'.strip())}"
        f" | {', '.join(map(text.code, commands))} | {text.escape(option.help)} |"
        for option, commands in found.items()
    ]
    return "\n".join(["| option | of | |", "|---|---|---|", *lines])


def names() -> set[str]:
    """All options that any command has."""
    return {"--help", *(option.name for _, option in options())}


def options() -> Iterator[tuple[str, Option]]:
    """Each command's, in the order in which its help lists them."""
    for name, command in _commands().items():
        for action in command._actions:
            long = [flag for flag in action.option_strings if flag.startswith("--")]
            if long and long[0] != "--help":
                yield name, Option(long[0], _value(action), (action.help or "").replace("%%", "%"))


def _commands() -> dict[str, argparse.ArgumentParser]:
    for action in arguments.command_line()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    if action.nargs == 0:
        return ""
    return str(action.metavar or action.dest.upper())
