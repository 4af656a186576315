"""What is wrong with the documents: each function finds one kind of fault in one page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from bench import arguments
from bench.documents.commands import (
    ASKING,
    CHECKING,
    COMPARING,
    DEVELOPING,
    FINDING,
    LIST,
    LOOKING,
    MEASURING,
    MERGING,
    PROFILING,
    READING,
    Command,
    code,
    commands,
)
from bench.documents.options import names
from bench.documents.pages import anchors, targets
from bench.errors import BadInputError
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

README_BYTES = 10_000  # one sitting
PAST = ("CHANGELOG.md",)  # names what is no more
# Where a code span that looks like a path must be one.
FOLDERS = (
    "app",
    "bench",
    "docs",
    "go_delay",
    "locustfiles",
    "page",
    "tests",
    "requirements",
    ".github",
)
EXAMPLES = "test_documents.py"  # names pages of examples, on purpose none of ours
CODE = ("*.py", "*.yaml", "*.toml", ".github/**/*.yml")
CODE_FOLDERS = ("app", "bench", "go_delay", "locustfiles", "page", "tests")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:|^//", re.IGNORECASE)
_PATH = re.compile(rf"^(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*-]*$")
_NAMED = re.compile(r"\bdocs/[\w-]+\.md(?:#[\w-]+)?")
_SESSION = re.compile(r"^@nox\.session\b.*\n(?:@.*\n)*def (\w+)", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def problems(root: Path) -> list[str]:
    """All faults of all documents, and of what the code says of them; a line each."""
    noxfile = (root / "noxfile.py").read_text(encoding="utf-8")
    sessions = [name.replace("_", "-") for name in _SESSION.findall(noxfile)]
    found: list[str] = []
    for path in pages(root):
        markdown = path.read_text(encoding="utf-8")
        wrong = [*links(root, path, markdown)]
        if path.name not in PAST:
            wrong += [*files(root, markdown), *options(markdown)]
            wrong += [fault for one in commands(markdown) for fault in command(one, sessions)]
        if path == root / "README.md" and len(markdown.encode()) > README_BYTES:
            wrong.append(f"{len(markdown.encode())} bytes, allowed: {README_BYTES}")
        found += [f"{path.relative_to(root)}: {fault}" for fault in wrong]
    return [*found, *code_comments(root)]


def pages(root: Path) -> list[Path]:
    """Every page that a person reads, but for the reports."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def links(root: Path, page: Path, markdown: str) -> Iterator[str]:
    """Links and pictures that lead nowhere inside the repository."""
    for target in dict.fromkeys(targets(markdown)):
        if not _ELSEWHERE.match(target):
            yield from _link(root, page, unquote(target))


def _link(root: Path, page: Path, target: str) -> Iterator[str]:
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.is_relative_to(root.resolve()):
        yield f"the link {shown(target)} leads out of the repository"
    elif not path.exists():
        yield f"the link {shown(target)} leads nowhere: there is no {shown(name)}"
    elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text("utf-8")):
        yield f"the link {shown(target)} leads nowhere: no heading is called #{shown(anchor)}"


def files(root: Path, markdown: str) -> Iterator[str]:
    """Code spans that look like files of ours and are none; `NAME` stands for something else."""
    for span in dict.fromkeys(code(markdown)):
        if _PATH.match(span) and not re.search(r"\b[A-Z]{2,}\b", span):
            there = any(root.glob(span)) if "*" in span else (root / span).exists()
            if not there:
                yield f"`{span}` is no file"


def command(found: Command, sessions: Sequence[str]) -> Iterator[str]:
    """A command that would not run, or that no test runs."""
    if str(found) == LIST or found.options == ():  # lint and tests
        return
    if not found.session:
        yield f"`{found}` runs no session, or more than one; no test runs it"
    elif found.session not in sessions:
        yield f"`{found}`: no such session"
    elif found.session in {
        *ASKING,
        *FINDING,
        *MERGING,
        *MEASURING,
        *COMPARING,
        *PROFILING,
        *READING,
        *LOOKING,
        *CHECKING,
    }:
        yield from _refused(found)
    elif found.session not in DEVELOPING:
        yield f"`{found}`: no test runs this session"


def _refused(found: Command) -> Iterator[str]:
    # "`nox -s single` measures …" is said of the session, and no whole command.
    needed = {"single": ["sync_json"], "compare": ["latest", "latest"], "export": ["csv"]}
    posargs = found.posargs or needed.get(found.session, [])
    if "--help" in posargs:
        return
    try:
        arguments.parse([found.session, *posargs])
    except BadInputError as problem:
        yield f"`{found}`: {problem}"


def options(markdown: str) -> Iterator[str]:
    """Code spans that begin with an option, and name one which no command has."""
    known = names()
    for span in dict.fromkeys(code(markdown)):
        for option in _OPTION.findall(span) if span.startswith("--") else ():
            if option not in known:
                yield f"`{span}`: no command has {option}"


def code_comments(root: Path) -> Iterator[str]:
    """Pages and headings that the code names, and that are not there."""
    found = [path for pattern in CODE for path in root.glob(pattern)]
    found += [path for folder in CODE_FOLDERS for path in (root / folder).rglob("*.py")]
    for path in sorted(found):
        if path.name == EXAMPLES:
            continue
        text = path.read_text(encoding="utf-8")
        for named in dict.fromkeys(_NAMED.findall(text)):
            for fault in _link(root, root / "README.md", named):
                yield f"{path.relative_to(root)}: {fault}"
