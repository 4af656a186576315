"""Any command line: a status, and one message where it is 2."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench import export_file, publish
from bench.records import journal
from bench.run.history import run_folders
from tests.support.fuzz import check, command, examples
from tests.support.records import example as recorded

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fuzz
RUN, TRIALS = recorded(3)
LONG = "x" * 5000


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published run."""
    output = tmp_path_factory.mktemp("fuzz") / "reports"
    folder = output / "runs" / RUN.id
    run_folders.create(folder, RUN)
    for trial in TRIALS:
        journal.append(folder / journal.TRIALS_FILE, trial)
    publish.publish(folder, output, lambda _: None)
    return output


@pytest.fixture(autouse=True)
def _there(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths that a test makes up begin in a folder of its own."""
    monkeypatch.chdir(reports.parent)


ODD = st.text(max_size=20).filter(lambda text: not text.startswith("/")) | st.sampled_from([
    "", " ", "-", "--", "-1", "--help", "0", "1", "3", "1.5", "1e9", "9" * 25, "9" * 5000, "nan",
    "inf", "٣", "6s", "500ms", "1m", "0s", "-1s", "9999999m", "quick", "full", "quik", "uvicorn",
    "uvicorn,gunicorn", ",", "1,1", "1,2,4", "3.12", "3.1", "latest", "latest:server=uvicorn",
    "latest:server=none", "latest:x=1", "latest:workers=2,io=json", RUN.id, f"{RUN.id}:io=http",
    "*", "*json*", "[", "[!", "[z-a]", "[[]", "**?*", "a" * 300, "*" * 300, "sync_json", "5%",
    "-5%",
    "nan%", "1e400%", "\ud800", "\udcff", "\x1b[2J", "a\nb", "\u202e", "\0", "%s", "{0}", "@file",
])  # fmt: skip
# Nothing can be written there, and nothing is read from there that ends.
PLACES = st.sampled_from([
    "", ".", "..", "/", "../..", "reports", "reports/latest.json", "reports/latest.md/x", "no/such",
    "/dev/full", "/dev/zero", "/proc/none", "/proc/self/mem", LONG, f"a/{LONG}", "a\nb", "\udcff",
    "loop", "\x1b[2J", "reports/../reports", f"reports/runs/{RUN.id}", "reports/runs/../..",
])  # fmt: skip
VALUES = ODD | PLACES


def _options(*names: str) -> st.SearchStrategy[list[str]]:
    """A few options, with a value, joined to it, without, or none of ours."""
    names_ = st.sampled_from([*names, *names, "--x", "-h"])
    one = (
        st.tuples(names_, VALUES).map(list)
        | st.tuples(names_, VALUES).map(lambda pair: [f"{pair[0]}={pair[1]}"])
        | names_.map(lambda name: [name])
        | ODD.map(lambda text: [text])
    )
    right = st.tuples(st.sampled_from(names), VALUES).map(list)
    return st.lists(right | right | one, max_size=5).map(lambda parts: [*chain(*parts)])


PLANNING = ("--config", "--profile", "--select", "--server", "--workers", "--python", "--users",
            "--warmup", "--duration", "--rounds", "--seed")  # fmt: skip


def holds(*arguments: str) -> None:
    """The command's status and messages are as they should be, whatever it was given."""
    done = command(*arguments)
    check(done)
    if done.status == 2:
        assert any(word in done.err for word in
                   ("--", "compare", "found", "can't", ": ", "nox -s"))  # fmt: skip


@examples(200)
@given(arguments=_options(*PLANNING))
@example(arguments=["--select", "[" * 100_000])
@example(arguments=["--select", "*?" * 50_000])
@example(arguments=["--workers", "1," * 60_000])
@example(arguments=["--server", ",".join(map(str, range(15_000)))])
@example(arguments=["--config", "a\nb\0"])
@example(arguments=["--profile", "\udcff"])
def test_plan(arguments: list[str]) -> None:
    """Numbers, names, durations, globs and files."""
    holds("plan", *arguments)


@examples(150)
@given(arguments=_options("--output", "--run", "--summary"))
@example(arguments=["--summary", "/"])
@example(arguments=["--summary", "/dev/full"])
@example(arguments=["--summary", "\udcff"])
@example(arguments=["--run", "../.."])
@example(arguments=["--run", LONG])
@example(arguments=["--output", "reports/latest.json"])
def test_report(arguments: list[str]) -> None:
    """Runs that are not there, folders that are files, places that can't be written."""
    holds("report", "--output", "reports", *arguments)


@examples(80)
@given(arguments=_options("--output", "--run", "--summary"))
@example(arguments=["--output", LONG])
def test_readme(arguments: list[str]) -> None:
    """Only checked."""
    holds("readme", "--check", "--output", "reports", *arguments)


@examples(150)
@given(
    sides=st.lists(VALUES | st.just("latest"), min_size=1, max_size=2),
    arguments=_options("--output", "--threshold", "--anyway", "--fail-on", "--json"),
)
@example(sides=["latest", "latest"], arguments=["--json", ""])
@example(sides=["latest", "latest"], arguments=["--json", "/"])
@example(sides=["latest", "latest"], arguments=["--json", "reports"])
@example(sides=["latest", LONG], arguments=[])
@example(sides=["latest", "\udcff"], arguments=[])
@example(sides=["latest:server=uvicorn\n", "latest"], arguments=[])
def test_compare(sides: list[str], arguments: list[str]) -> None:
    """Sides that are no run or no part of one, thresholds, a file for the JSON."""
    holds("compare", "--output", "reports", *sides, *arguments)


# The published run is still needed.
TARGETS = VALUES.filter(lambda text: "latest." not in text)


@examples(150)
@given(
    format_=st.sampled_from(["csv", "benchmark-action", "benchfmt", "openmetrics", "x"]) | ODD,
    target=st.none() | TARGETS,
    arguments=_options("--run", "--metric"),
)
@example(format_="csv", target="/dev/full", arguments=[])
@example(format_="csv", target="/dev/stdout", arguments=[])
@example(format_="csv", target="loop/x", arguments=[])
@example(format_="csv", target="--", arguments=[])
@example(format_="benchmark-action", target=LONG, arguments=["--metric", "p99_ms"])
def test_export(format_: str, target: str | None, arguments: list[str], reports: Path) -> None:
    """Formats and metrics that there are not, places that can't be written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_file, "REPORTS", reports)
        output = [] if target is None else [f"--output={target}"]
        holds("export", format_, *output, *arguments)


@examples(50)
@given(arguments=st.lists(ODD, max_size=3))
def test_commands_that_there_are_not(arguments: list[str]) -> None:
    """No word of these starts a measurement."""
    holds(*arguments)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["report", "--summary", "."], "."),
        (["report", "--summary", "no/such/file"], "no/such/file"),
        (["report", "--run", "../.."], "--run"),
        (["compare", "latest", "latest", "--json", "no/such/file"], "no/such/"),
        (["compare", "latest", "latest", "--json", "reports"], "reports"),
        (["compare", "latest", LONG], "xxx"),
        (["plan", "--select", "[" * 1000], "--select"),
        (["plan", "--config", "reports"], "reports"),
        (["plan", "a\x1b[2Jb"], r"a\x1b[2Jb"),
    ],
)
def test_a_wrong_place_is_named(arguments: list[str], place: str) -> None:
    """Exit status 2, since a person can put it right."""
    output = [] if arguments[0] == "plan" else ["--output", "reports"]
    done = command(*arguments, *output)
    check(done)
    assert done.status == 2, done
    assert place in done.err


def test_a_full_disk_is_no_bad_input() -> None:
    """Exit status 3: the machine is lacking something."""
    done = command("report", "--output", "reports", "--summary", "/dev/full")
    check(done)
    assert done.status == 3
