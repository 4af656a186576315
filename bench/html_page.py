"""Has the report page made by its own environment; without it all other reports stand.

``python -m page`` runs as a child: its chart libraries never enter the harness. A page that can't
be made costs one line, and takes away a page that shows another run: that would be wrong
numbers under the published name.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import RequirementError
from bench.run.host import environments
from bench.run.process.children import child_environment
from bench.text import line, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.paths import Paths

PAGE, DOCUMENT, SERIES = "latest.html", "latest.json", "latest.series.jsonl"
CHARTS = ("chart-light.svg", "chart-dark.svg")
LONGEST_S = 180.0
HEAD_BYTES = 4096  # of a page or a chart, in which it says what it was made from
_MADE_FROM = re.compile(rb"sha256:([0-9a-f]{64})")


def make(folder: Path, where: Paths, warn: Callable[[str], None]) -> Path | None:
    """The page and the README's charts beside ``latest.json``; None where they can't be made."""
    full = folder.absolute()  # the child runs elsewhere
    arguments = [str(full / DOCUMENT), "--series", str(full / SERIES)]
    targets = ["--output", str(full / PAGE), "--charts", str(full)]
    problem = _run([*arguments, *targets], where)
    if problem is None:
        return folder / PAGE
    warn(line(f"{folder / PAGE} was not made, all other reports were: {problem}"))
    for path in _of_others(folder):
        path.unlink(missing_ok=True)
    return None


def compare(document: str, output: Path, where: Paths) -> None:
    """A comparison as a page.

    Raises:
        RequirementError: it can't be made.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comparison.json"
        path.write_text(document, encoding="utf-8")
        problem = _run([str(path), "--output", str(output.absolute())], where)
    if problem is not None:
        raise RequirementError(line(f"{output} was not made: {problem}"))


def side_by_side(document: str, output: Path, where: Paths, warn: Callable[[str], None]) -> None:
    """Two revisions as a page; one line where it can't be made, and none of an earlier run."""
    try:
        compare(document, output, where)
    except RequirementError as problem:
        output.unlink(missing_ok=True)
        warn(str(problem))


def answer(document: Path, output: Path, where: Paths, warn: Callable[[str], None]) -> bool:
    """An answer's chart, of what `ask` has written; False, and one line, where it can't be made."""
    problem = _run([str(document.absolute()), "--output", str(output.absolute())], where)
    if problem is not None:
        warn(line(f"{output} was not made: {problem}"))
    return problem is None


def stale(folder: Path) -> str | None:
    """What shows another run than the published one, or None; needs no chart library."""
    wrong = _of_others(folder)
    return f"{wrong[0]} is stale: `nox -s report` renews it" if wrong else None


def fingerprint(*contents: bytes) -> str:
    """What a page is made from, as ``page.reading`` has it."""
    whole = hashlib.sha256()
    for content in contents:
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def _of_others(folder: Path) -> list[Path]:
    """Pages and charts that were not made from the files beside them."""
    contents = [
        path.read_bytes() if path.is_file() else b""
        for path in (folder / DOCUMENT, folder / SERIES)
    ]
    wanted = fingerprint(*contents)
    return [
        path
        for path in (folder / name for name in (PAGE, *CHARTS))
        if path.is_file() and _made_from(path) != wanted
    ]


def _made_from(path: Path) -> str | None:
    with path.open("rb") as file:
        found = _MADE_FROM.search(file.read(HEAD_BYTES))
    return None if found is None else found[1].decode()


def _run(arguments: Sequence[str], where: Paths) -> str | None:
    """Run the page's program; gives what went wrong, or None."""
    found = environments.find(where.notes, where.root, "report")
    if found.python is None:
        return found.reason
    try:
        done = subprocess.run(
            [str(found.python), "-m", "page", *arguments],
            cwd=where.root,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {LONGEST_S:g} s"
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    told = done.stderr.decode(errors="replace").strip().splitlines()
    return shown(told[-1] if told else f"exit status {done.returncode}", 300)
