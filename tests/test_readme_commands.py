"""Each command, option and benchmark that README.md and the documents name runs, if small."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from bench import arguments, cli, selfcheck
from bench.documents.check import PAST, pages
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
from bench.paths import ROOT, paths
from bench.records import journal
from bench.records.model import Outcome
from bench.run.history import run_folders
from bench.selfcheck.figure import Figure
from bench.typed_options import AbOptions, CheckOptions, MeasureOptions, ProfileOptions
from tests.support import fuzz
from tests.support.machines import LISTEN
from tests.support.records import example
from tests.test_merge import write_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.paths import Paths
    from tests.support.machines import Machine

PAGES = [path.read_text(encoding="utf-8") for path in pages(ROOT) if path.name not in PAST]
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
SESSIONS = [
    name.replace("_", "-")
    for name in re.findall(r"^@nox\.session\b.*\n(?:@.*\n)*def (\w+)", NOXFILE, re.MULTILINE)
]
# Every page's, each command once.
COMMANDS = [*{str(command): command for page in PAGES for command in commands(page)}.values()]
SESSIONLESS = {LIST, "nox"}  # the latter is lint and tests
SPANS = [*dict.fromkeys(span for page in PAGES for span in code(page))]

# Said of the session, not a whole command.
WHOLE = {"nox -s single": ("async_sleep", "async_noop"), "nox -s compare": ("RUN_A", "RUN_B"),
         "nox -s export": ("csv",)}  # fmt: skip
RUNS = {"RUN_A": "20260304-050607-aaaaaa", "RUN_B": "20260304-060708-bbbbbb"}
PARTS = ("app", "bench", "docs", "examples", "go_delay", "locustfiles", "page", "questions",
         "requirements", "README.md", "experiments.yaml", "noxfile.py")  # fmt: skip
SMALL = """
matrix:
  endpoint: [sync, async, async_sync]
  io: [json]
  workers: [1]
  server: [uvicorn, hypercorn]
exclude:
  - {endpoint: sync, server: hypercorn}
  - {endpoint: async, server: uvicorn}
  - {endpoint: async_sync, server: uvicorn}
default_profile: quick
profiles:
  quick: {users: 8, delay: 100ms, spawn_rate: 100, warmup: 200ms, duration: 1s, rounds: 1}
  full: {users: 8, delay: 100ms, spawn_rate: 100, warmup: 200ms, duration: 1s, rounds: 2}
"""
SMALLER = ("--users", "8", "--warmup", "200ms", "--duration", "1s")
ONE_ROUND = ("--rounds", "1")
# Of a command with a budget: enough for the first passes, and hardly anything is to be known.
SMALL_BUDGET = ("--budget", "15s", "--precision", "100%")
NO_SERVERS = {"digest", "plan"}  # checks that start none


def of(*sessions: str) -> list[Command]:
    """The commands of these sessions."""
    return [command for command in COMMANDS if command.session in sessions]


def given(command: Command) -> list[str]:
    """The harness's arguments: those of the page, with a run for each placeholder."""
    posargs = command.posargs or WHOLE.get(str(command), ())
    if "--effects" in posargs:  # the two runs are of one cell; the published one has effects
        posargs = tuple("latest" if word in RUNS else word for word in posargs)
    return [command.session, *(RUNS.get(word, word) for word in posargs)]


def own(command: Command) -> bool:
    """It measures an application of somebody's own."""
    return "--config" in command.posargs


def away(command: Command) -> bool:
    """Its load comes from other machines."""
    return "--generator" in command.posargs


def bench(root: Path, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """``python -m bench …`` as nox calls it, in some checkout."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def nox(root: Path, *words: str, may: Sequence[int] = (0,)) -> str:
    """What nox prints, started as from a shell."""
    if "MATRIX_NOX" not in os.environ:
        pytest.skip("MATRIX_NOX names no Python that has nox; `nox -s tests` sets it")
    # A nox around this one has made the environment that its noxfile asks for.
    kept = {k: v for k, v in os.environ.items() if k == "NOX_SCRIPT_MODE" or k[:3] != "NOX"}
    done = subprocess.run(
        [os.environ["MATRIX_NOX"], "-m", "nox", *words],
        cwd=root, env=kept, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode in may, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what the commands read and write, with the published reports."""
    root = tmp_path / "clone"
    (root / "reports").mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, root / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, root / part)
    for path in (ROOT / "reports").glob("latest.*"):
        shutil.copy(path, root / "reports")
    return root


# -- every command


def test_commands_are_found_wherever_they_stand() -> None:
    """In blocks and in spans, however nox is started; but not where it is installed."""
    text = (
        "Do `nox -s a`, or\n`uvx nox -s\nb -- x` after `pip install nox`; `noxious` is none.\n\n"
        "```sh\npipx run nox -s c -- 'd *' --e 3  # comment\nnox -s a   # again\n"
        "ls\nnox -l\nnox -s f -- \\\n  g\n```\n\n| `nox -s h` |\n|---|\n\n    X=1 nox -s i j\n"
    )
    found = commands(text)
    assert [str(command) for command in found] == [
        *("nox -s a", "nox -s b -- x", "nox -s c -- d * --e 3", "nox -l"),
        *("nox -s f -- g", "nox -s h", "nox -s i j"),
    ]
    assert found[2].posargs == ("d *", "--e", "3")
    assert [command.session for command in found] == ["a", "b", "c", "", "f", "h", ""]
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_command_has_a_run(command: Command) -> None:
    """Whoever adds a command to a page adds its run here."""
    known = {
        *MEASURING,
        *COMPARING,
        *PROFILING,
        *ASKING,
        *FINDING,
        *MERGING,
        *READING,
        *LOOKING,
        *CHECKING,
        *DEVELOPING,
    }
    assert str(command) in SESSIONLESS or command.session in known, (
        f"a document names `{command}`, which nothing in {Path(__file__).name} runs"
    )


@pytest.mark.parametrize("command", [c for c in COMMANDS if str(c) not in SESSIONLESS], ids=str)
def test_every_session_is_there(command: Command) -> None:
    """The noxfile defines what the pages name."""
    assert command.session in SESSIONS, f"a document names `{command}`: no such session"


def test_nox_lists_every_session(clone: Path) -> None:
    """`nox -l` itself."""
    listed = re.findall(r"^[*-] (\S+)", nox(clone, "-l"), re.MULTILINE)
    assert {command.session for command in COMMANDS if command.session} <= {*listed}


# -- those that measure


@pytest.mark.parametrize("command", of(*MEASURING), ids=str)
def test_arguments_fit_the_experiments(command: Command) -> None:
    """With the very options of the page, experiments.yaml gives something to measure."""
    _, options = arguments.parse(given(command))
    assert isinstance(options, MeasureOptions)
    assert cli._plan(options.plan).trials


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "command", [c for c in of(*MEASURING) if not own(c) and not away(c)], ids=str
)
def test_commands_that_measure(prepared: Paths, clone: Path, command: Command) -> None:
    """Each cell that the command means in a small matrix is measured."""
    assert prepared.notes.is_dir()
    small = clone / "experiments.yaml"
    small.write_text(SMALL, encoding="utf-8")
    budget = "--budget" in command.posargs
    # The small matrix has two groups of cells, so that many parts at most.
    said = [re.sub(r"^([12])/3$", r"\1/2", word) for word in given(command)]
    wide = any("*" in word for word in said) and "--select" not in said
    fewer = ("--select", "*json*") if wide else ()
    words = [*said, *SMALLER, *fewer, *(SMALL_BUDGET if budget else ONE_ROUND)]
    done = bench(clone, words)
    # 1: a busy machine may make a cell invalid
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    _, options = arguments.parse([*words, "--config", str(small)])
    assert isinstance(options, MeasureOptions)
    (folder,) = (clone / "reports" / "runs").iterdir()
    trials = journal.read_trials(folder / journal.TRIALS_FILE).records
    declared = [planned.cell.id for planned in cli._plan(options.plan).trials]
    # What follows depends on what is found: a budget's further passes, a disturbed trial's repeat.
    measured = [trial.cell for trial in trials]
    assert measured[: len(declared)] == declared
    assert {*measured} == {*declared}
    assert {trial.outcome for trial in trials} == {Outcome.MEASURED}, [t.reason for t in trials]


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", [c for c in of(*MEASURING) if own(c)], ids=str)
def test_commands_of_an_own_application(tmp_path: Path, command: Command) -> None:
    """By nox, which makes the example's environment; each of its cells is measured."""
    options = (*SMALLER, *ONE_ROUND, "--output", str(tmp_path))
    nox(ROOT, "-s", command.session, "--", *command.posargs, *options, may=(0, 1))
    (folder,) = (tmp_path / "runs").iterdir()
    trials = journal.read_trials(folder / journal.TRIALS_FILE).records
    assert {trial.outcome for trial in trials} == {Outcome.MEASURED}, [t.reason for t in trials]
    _, parsed = arguments.parse([*given(command), *options])
    assert isinstance(parsed, MeasureOptions)
    assert {trial.cell for trial in trials} == {cell.id for cell in cli._plan(parsed.plan).cells}


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", [c for c in COMMANDS if away(c)], ids=str)
def test_commands_that_load_from_other_machines(
    load_machines: list[Machine], prepared: Paths, clone: Path, command: Command
) -> None:
    """Those of `tests.support.machines`, a process each; one cell, with all controls."""
    assert load_machines
    assert prepared.notes.is_dir()
    here = {"10.0.0.1": LISTEN, "load2*4": "load3"}  # the nearer one
    words = [here.get(word, word) for word in given(command)]
    if command.session == "doctor":
        done = bench(clone, words)
        assert done.returncode in {0, 3}, done.stdout + done.stderr
        assert re.search(r"(?m)^good +load machine load1 +Python 3", done.stdout)
        return
    (clone / "experiments.yaml").write_text(SMALL, encoding="utf-8")
    one = ("--select", "sync_json-*", "--users", "8", "--warmup", "200ms", "--duration", "3s")
    done = bench(clone, [*words, *one, *ONE_ROUND])
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    (folder,) = (clone / "reports" / "runs").iterdir()
    trials = journal.read_trials(folder / journal.TRIALS_FILE).records
    assert {trial.cell for trial in trials} == {"sync_json-uvicorn-w1"}
    loads = [trial.measured.load for trial in trials if trial.measured is not None]
    assert [(load.generators, load.away) for load in loads] == [(2, 2)] * len(trials)
    controls = journal.read_controls(folder / journal.CONTROLS_FILE).records
    assert {(one.reason, one.generators) for one in controls} == {(None, 1), (None, 2)}
    assert "load machine 2" in (folder / "run.json").read_text("utf-8")
    assert LISTEN not in (folder / "run.json").read_text("utf-8")


@pytest.mark.parametrize("command", of(*COMPARING), ids=str)
def test_arguments_of_a_comparison_fit(command: Command) -> None:
    """With the very options of the page there are cells to compare."""
    _, options = arguments.parse(given(command))
    assert isinstance(options, AbOptions)
    assert cli._plan(options.plan).cells


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", of(*COMPARING), ids=str)
def test_commands_that_compare(tmp_path: Path, command: Command) -> None:
    """By nox, which makes both revisions' environments; each cell, begun once."""
    if command.session == "ab":
        _demand_two_revisions()
    one = ("--select", "list_items-uvicorn-w1") if own(command) else ()
    small = (*one, "--budget", "1s", "--output", str(tmp_path))
    said = nox(ROOT, "-s", command.session, "--", *command.posargs, *small, may=(0, 1))
    folder = tmp_path / command.session
    found = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    assert [cell["failures"] for cell in found["cells"]] == [[]] * len(found["cells"]), said
    assert {cell["starts"] for cell in found["cells"]} == {1}
    assert found["cells"][0]["samples"][0].keys() == {"a", "twin", "b"}
    assert (folder / "latest.html").is_file()
    assert "### " in (folder / "latest.md").read_text(encoding="utf-8")


def _demand_two_revisions() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("there are no revisions: this is no checkout")
    asked = ["git", "rev-parse", "--verify", "--quiet", "HEAD~1"]
    if subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("this clone is shallow: it has one revision")


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", of(*PROFILING), ids=str)
def test_commands_that_profile(tmp_path: Path, command: Command) -> None:
    """By nox, which makes the profiler's environment; the page names the function, and so it is."""
    words = ["-s", command.session, "--", *command.posargs, "--output", str(tmp_path)]
    said = nox(ROOT, *words, may=(0,) if "CI" in os.environ else (0, 3))
    if "may not look into" in said:
        pytest.skip("py-spy may not look into other processes here")
    _, options = arguments.parse(given(command))
    assert isinstance(options, ProfileOptions)
    for cell in cli._plan(options.plan).cells:
        about = json.loads((tmp_path / "profiles" / f"{cell.id}.json").read_text("utf-8"))
        assert about["samples"] > 0 or about["loop_busy"] > 0.5
        named = {"quote": "_from_the_exchange", "async_http_pooled": "httpcore's `"}
        assert named.get(cell.experiment, "") in about["sentence"], about
        assert (tmp_path / "profiles" / f"{cell.id}.svg").read_text("utf-8").startswith("<svg")
        assert (tmp_path / "profiles" / f"{cell.id}.speedscope.json").is_file()


# -- those that ask


def measures(command: Command) -> bool:
    """It asks a question, and does not only list, check or show them."""
    return command.session == "what-if" or any(
        word == "--all" or not word.startswith("-") for word in command.posargs
    )


@pytest.mark.parametrize("command", [c for c in of(*ASKING) if not measures(c)], ids=str)
def test_commands_about_questions(clone: Path, command: Command) -> None:
    """They list, check or show what there is."""
    done = bench(clone, given(command))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() or done.stderr.strip()
    assert bench(clone, ["ask", "--check"]).returncode == 0


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", [c for c in of(*ASKING) if measures(c)], ids=str)
def test_commands_that_ask(prepared: Paths, clone: Path, tmp_path: Path, command: Command) -> None:
    """One question each; all of them are one where there is just one."""
    assert prepared.notes.is_dir()
    small = ("--budget", "1s")
    if "--all" in command.posargs:
        for folder in (clone / "questions").iterdir():
            if folder.name != "access-log":
                shutil.rmtree(folder)
        done = bench(clone, [*given(command), *small])
        said, page = done.stdout + done.stderr, (clone / "docs" / "answers.md").read_text("utf-8")
        assert done.returncode in {0, 1}, said
        assert page.count("\n## ") == 1
        assert "What does the access log cost?" in page
        assert bench(clone, ["ask", "--check"]).returncode == 0
    elif command.session == "ask":
        words = (*command.posargs, "--budget", "30s", "--output", str(tmp_path))
        said = nox(ROOT, "-s", "ask", "--", *words, may=(0, 1))
        folder = tmp_path / "ask" / command.posargs[0]
        found = json.loads((folder / "latest.json").read_text("utf-8"))
        assert {cell["verdict"] for cell in found["cells"]} <= {"valid", "rough", "unstable"}, said
        assert len(found["cells"]) > 1
        assert (folder / "latest.md").read_text("utf-8").startswith(f"## {found['asks']}")
    else:
        shorter = ("--delay", "150ms")
        said = nox(ROOT, "-s", "what-if", "--", *command.posargs, *small, *shorter, may=(0,))
        assert "threads: " in said
    assert "Traceback" not in said


# -- those that find a capacity


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", of(*FINDING), ids=str)
def test_commands_that_find_a_capacity(prepared: Paths, tmp_path: Path, command: Command) -> None:
    """With a budget of a few trials, and a precision of anything."""
    assert prepared.notes.is_dir()
    output = tmp_path / "found.json"
    small = ("--budget", "20s", "--precision", "100%", "--delay", "50ms", "--json", str(output))
    said = nox(ROOT, "-s", "capacity", "--", *command.posargs, *small, may=(0, 1))
    found = json.loads(output.read_text("utf-8"))
    assert "Traceback" not in said
    for cell in found["cells"]:
        assert cell["closed_loop"], said
        assert cell["curve"], said
        assert cell["cell"] in said


# -- those that merge


@pytest.mark.parametrize("command", of(*MERGING), ids=str)
def test_commands_that_merge(clone: Path, command: Command) -> None:
    """Both parts of a matrix."""
    reports = clone / "reports"
    parts = {name: write_part(reports, at, of=2) for at, name in enumerate(RUNS, 1)}
    done = bench(clone, [command.session, *(parts[word] for word in command.posargs)])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 machines" in done.stdout
    assert json.loads((reports / "latest.json").read_text("utf-8"))["hosts"]["missing"] == []


# -- those that read


@pytest.fixture
def recorded(clone: Path) -> Path:
    """The clone, with a run for each placeholder of the pages."""
    about, trials = example(3)
    for name in RUNS.values():
        folder = clone / "reports" / "runs" / name
        run_folders.create(folder, replace(about, id=name))
        for trial in trials:
            journal.append(folder / journal.TRIALS_FILE, replace(trial, run=name))
    return clone


def first_fast(read: Sequence[Command]) -> Iterator[object]:
    """A session's first command runs with the fast tests, its others, some seconds each, later.

    So do those that make the page.
    """
    seen = {"readme", "report"}
    for one in read:
        yield pytest.param(
            one, id=str(one), marks=[pytest.mark.real] if one.session in seen else []
        )
        seen.add(one.session)


@pytest.mark.parametrize("command", [*first_fast([c for c in of(*READING) if not away(c)])])
def test_commands_that_read(recorded: Path, command: Command) -> None:
    """They run as they stand, on the published reports and two more runs."""
    done = bench(recorded, given(command))
    # The doctor's 3: this machine is missing something.
    assert done.returncode in ({0, 3} if command.session == "doctor" else {0}), done.stderr
    assert done.stdout.strip() or "--output" in command.posargs
    assert "Traceback" not in done.stderr
    if command.session == "export" and "--output" in command.posargs:
        target = recorded / command.posargs[command.posargs.index("--output") + 1]
        assert target.stat().st_size > 100
    if command.session == "readme":  # "`-- --check` says whether they are stale"
        assert bench(recorded, ["readme", "--check"]).returncode == 0


# -- the one that looks at a project


@pytest.mark.real
@pytest.mark.parametrize("command", of(*LOOKING), ids=str)
def test_commands_that_look(tmp_path: Path, command: Command) -> None:
    """A project that needs nothing installed: its file can be planned with."""
    source = "class FastAPI: ...\n\n\napp = FastAPI()\n"
    (tmp_path / "main.py").write_text(source, encoding="utf-8")
    done = bench(ROOT, [command.session, str(tmp_path)])
    assert done.returncode == 0, done.stderr
    planned = bench(ROOT, ["plan", "--config", str(tmp_path / "bench.yaml")])
    assert planned.returncode == 0, planned.stderr
    assert "root-uvicorn-w1" in planned.stdout


# -- the harness's checks of itself


@pytest.mark.parametrize("command", of(*CHECKING), ids=str)
def test_commands_that_check(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """They run the checks that they name, or the session's own; each runs for real below."""
    ran: list[str] = []
    for name in selfcheck.CHECKS:

        def check(_: Paths, quick: bool, name: str = name) -> list[Figure]:  # noqa: FBT001
            """Says that it ran."""
            assert quick
            ran.append(name)
            return [Figure(name, 1.0, 1.0)]

        monkeypatch.setitem(selfcheck.CHECKS, name, check)
    _, options = arguments.parse([*given(command), "--quick"])
    assert isinstance(options, CheckOptions)
    assert selfcheck.run(options.command, options.names, paths(), quick=options.quick) == 0
    assert ran == [*(command.posargs or selfcheck.DEFAULTS[command.session])]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.real) for name in selfcheck.CHECKS],
)
def test_every_check_runs_at_its_smallest(name: str, request: pytest.FixtureRequest) -> None:
    """In the session that runs it without being asked: exit status 0, and figures."""
    if name not in NO_SERVERS:
        request.getfixturevalue("prepared")
    if name == "setup" and "MATRIX_NOX" not in os.environ:
        pytest.skip("`setup` starts nox, and MATRIX_NOX names none; `nox -s tests` sets it")
    if name == "setup" and not (ROOT / ".git").exists():
        pytest.skip("`setup` clones the repository, and this is no checkout of it")
    (command,) = (own for own, names in selfcheck.DEFAULTS.items() if name in names)
    done = bench(ROOT, [command, "--quick", name])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(r"^ {9}.+: (\d+\.\d{3}|inf|nan)", done.stdout, re.MULTILINE), done.stdout


# -- for whoever works on it


@pytest.mark.real
def test_fuzz_runs_at_its_smallest() -> None:
    """What `nox -s fuzz` calls, one example of each, of one file."""
    words = ["-m", "fuzz", "--hypothesis-seed=1", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "tests/test_fuzz_escaping.py"],
        cwd=ROOT,
        env={**os.environ, "HYPOTHESIS_PROFILE": fuzz.LEAST},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d passed", done.stdout)


def test_fuzz_has_its_profile() -> None:
    """The one that the noxfile names is known, and is the one with many examples."""
    (name,) = re.findall(r'"HYPOTHESIS_PROFILE": "(\w+)"', NOXFILE)
    assert name == fuzz.LONG
    assert settings.get_profile(name).derandomize is False


def test_what_tests_and_lint_call_is_configured(pytestconfig: pytest.Config) -> None:
    """Their programs are locked, and have their settings in pyproject.toml."""
    locks = [
        (ROOT / "requirements" / f"{name}.txt").read_text("utf-8") for name in ("tests", "lint")
    ]
    for program in re.findall(r'session\.run\(\s*"([\w-]+)"', NOXFILE):
        assert any(re.search(rf"^{program}[\w-]*==", lock, re.MULTILINE) for lock in locks), program
    assert pytestconfig.inipath == ROOT / "pyproject.toml"
    assert [(ROOT / path).is_dir() for path in pytestconfig.getini("testpaths")] == [True]
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "\n[tool.ruff.lint]\n" in text
    (typed,) = re.findall(r"^\[tool\.mypy\]\n(?:.+\n)*?files = (\[.*\])$", text, re.MULTILINE)
    assert all((ROOT / path).exists() for path in json.loads(typed))


@pytest.mark.parametrize(
    "name",
    [name for c in of("tests") if c.posargs[:1] == ("-k",) for name in c.posargs[1].split(" or ")],
)
def test_what_pytest_is_asked_for_is_there(name: str) -> None:
    """Each test that a page names; "tests" and "lint" are what runs this file."""
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")]
    files = [path.name for path in (ROOT / "tests").glob(f"*{name}*.py")]
    assert files or any(
        re.search(rf"^def test_\w*{name.removeprefix('test_')}", text, re.MULTILINE)
        for text in tests
    )


def test_docs_runs_as_nox_calls_it() -> None:
    """The module that the noxfile names, changing nothing."""
    assert '"bench.documents", *session.posargs' in NOXFILE
    words = [sys.executable, "-m", "bench.documents", "--check"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {0, 1}, done.stderr  # test_documents.py holds what it finds
    assert done.stdout.strip()


def test_lock_files_are_those_that_lock_makes() -> None:
    """It asks the package index, so here only what it leaves is looked at."""
    for source in (ROOT / "requirements").glob("*.in"):
        if source.stem != "app":
            locked = source.with_suffix(".txt").read_text(encoding="utf-8")
            assert "#    nox -s lock\n" in locked
            assert "--hash=sha256:" in locked


# -- options


def options_of(command: str) -> set[str]:
    """All that a command has, by its own help."""
    return {*re.findall(r"(?<![\w-])--[a-z][a-z-]*", fuzz.command(command, "--help").out)}


@pytest.mark.parametrize(
    "option",
    sorted({o for s in SPANS if s[:2] == "--" for o in re.findall(r"(?<![\w-])--[a-z][a-z-]*", s)}),
)
def test_every_option_exists(option: str) -> None:
    """Some command has it."""
    assert any(option in options_of(command) for command in cli.COMMANDS)


@pytest.mark.parametrize("span", [s for s in SPANS if re.fullmatch(r"--[a-z-]+ \S+", s)])
def test_every_value_of_an_option_is_taken(span: str) -> None:
    """As in `--raw keep|drop`; what is in capitals stands for something else."""
    option, values = span.split()
    names = {"single": ["sync_json"], "compare": ["latest", "latest"], "export": ["csv"]}
    able = [command for command in cli.COMMANDS if option in options_of(command)]
    assert able
    for value in values.split("|"):
        if not value.isupper():
            arguments.parse([able[0], *names.get(able[0], []), option, value])
