"""The nox commands that a Markdown text names, in its code blocks and code spans."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt

from bench import selfcheck

READER = MarkdownIt("commonmark").enable("table")
INSTALLS = [["pip", "install"]]  # what stands before `nox` where it is no command
LIST: Final = "nox -l"

# How the commands of each session are run by tests/test_readme_commands.py. A session that is in
# none of these has no run, and no document may name it.
MEASURING: Final = ("matrix", "single")  # of a small matrix, with options that make it smaller
PROFILING: Final = ("profile",)  # as they stand: a trial of a quarter of a minute
COMPARING: Final = ("ab", "versus")  # one start of each cell, in this checkout
ASKING: Final = ("ask", "what-if")  # as little as they measure at all
FINDING: Final = ("capacity",)  # with a budget of a few trials
MERGING: Final = ("merge",)  # of small parts
READING: Final = ("plan", "report", "readme", "compare", "export", "doctor")  # as they stand
LOOKING: Final = ("init",)  # at a small project in the place of the page's
CHECKING: Final = tuple(selfcheck.DEFAULTS)  # each of their checks by itself, at its smallest
DEVELOPING: Final = ("tests", "lint", "fuzz", "docs", "lock")  # what they call, at its smallest


@dataclass(frozen=True, slots=True)
class Command:
    """``nox`` with these options of its own, and those that it hands on after ``--``."""

    options: tuple[str, ...]
    posargs: tuple[str, ...]

    @property
    def session(self) -> str:
        """The session that it runs; empty if it runs none, or more than one."""
        named = self.options[1:]
        return named[0] if self.options[:1] == ("-s",) and len(named) == 1 else ""

    def __str__(self) -> str:
        """The same for all ways to start nox."""
        handed_on = ("--", *self.posargs) if self.posargs else ()
        return " ".join(["nox", *self.options, *handed_on])


def code(markdown: str) -> list[str]:
    """Each line of a code block, each code span."""
    found: list[str] = []
    for token in READER.parse(markdown):
        if token.type in {"fence", "code_block"}:
            found += token.content.replace("\\\n", " ").splitlines()
        found += [part.content for part in token.children or [] if part.type == "code_inline"]
    return found


def commands(markdown: str) -> list[Command]:
    """Every nox command once, however nox is started."""
    found: dict[str, Command] = {}
    for text in code(markdown):
        if re.search(r"(^|\s)nox(\s|$)", text) is None:
            continue
        words = shlex.split(text, comments=True)
        at = words.index("nox") if "nox" in words else len(words)
        if at == len(words) or words[:at] in INSTALLS:
            continue
        rest = words[at + 1 :]
        split = rest.index("--") if "--" in rest else len(rest)
        command = Command(tuple(rest[:split]), tuple(rest[split + 1 :]))
        found.setdefault(str(command), command)
    return list(found.values())
