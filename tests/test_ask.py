"""Questions: their files, what a measurement says of them, and how that is told."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bench.ab.pairs import pairs
from bench.analysis.rows import rows
from bench.arguments import parse
from bench.ask import command, pages, questions, report
from bench.ask.answer import Told, answer, by_trials, by_turns, with_packages
from bench.ask.section import Section, fingerprint, section
from bench.config.settings import Held, Question
from bench.errors import BadInputError
from bench.paths import paths
from bench.plan import Cell, expand
from bench.turns.judge import Outcome
from bench.turns.model import SIDES, TURNS, Contest, Cost, Start
from bench.turns.schedule import Progress
from bench.typed_options import AskOptions
from tests.support.records import measured, run, trial

if TYPE_CHECKING:
    from pathlib import Path

NAMES = questions.names(paths().root)
HELD = Held("endpoint=sync", "endpoint=async", "async def", "def")
QUESTION = Question(
    "Which one?", ("https://github.com/fastapi/fastapi/issues/732",), "turns", (HELD,),
    {"slower": "Use def.", "faster": "Use async def.", "same": "Use either."},
)  # fmt: skip
CONTEST = Contest(
    "json-uvicorn-w1",
    {
        "a": Cell("sync", "json", "uvicorn", 1, "3.12"),
        "twin": Cell("sync", "json", "uvicorn", 1, "3.12"),
        "b": Cell("async", "json", "uvicorn", 1, "3.12"),
    },
)


def test_there_are_questions() -> None:
    """At least these."""
    wanted = {"def-or-async", "one-blocking-call", "middleware", "server", "workers", "uvloop"}
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_cells_for_its_contests(name: str) -> None:
    """Its file is right, both sides of each contest are there, and each outcome has its advice."""
    config = questions.load(paths(), name)
    assert config.question is not None
    cells = expand(config, "3.11")
    for held in config.question.contests:
        assert len(pairs(cells, held.a, held.b, every=True)) == 1, held.says
    assert {*config.question.do} == {"slower", "faster", "same"}


ASK_ALL = """
import asyncio, json, sys
import httpx
sys.path.insert(0, sys.argv[1])
from app import app

async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        found = {path: await client.get(path) for path in sys.argv[2:]}
    print(json.dumps({path: [r.status_code, r.text, r.headers.get("x-seen")]
                      for path, r in found.items()}))

asyncio.run(main())
"""
APPS = [name for name in NAMES if (paths().root / questions.FOLDER / name / "app.py").is_file()]


@pytest.mark.parametrize("name", APPS)
def test_a_questions_application_answers(name: str) -> None:
    """Each kind of request that its file names; those of one group do the same work."""
    config = questions.load(paths(), name)
    assert config.target is not None
    asked = [one.path for one in config.target.requests.values()]
    done = subprocess.run(
        [sys.executable, "-c", ASK_ALL, str(config.target.path), *asked],
        capture_output=True, text=True, check=False, timeout=30, cwd=config.target.path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {status for status, *_ in found.values()} == {200}
    if name == "middleware":
        assert {path: bool(seen) for path, (*_, seen) in found.items()} == {
            path: path != "/none" for path in asked
        }
        assert len({body for _, body, _ in found.values()}) == 1
    if name == "response-model":
        for size in ("small", "large"):
            bodies = [json.loads(body) for path, (_, body, _) in found.items() if size in path]
            assert all(body == bodies[0] for body in bodies)


def test_a_question_that_is_not_there() -> None:
    """The nearest are told."""
    with pytest.raises(BadInputError, match="found middlewares, allowed: a question, such as mid"):
        questions.chosen(paths().root, ["middlewares"], every=False)


def test_a_file_without_a_question(tmp_path: Path) -> None:
    """Is none of ours."""
    folder = tmp_path / "questions" / "none"
    folder.mkdir(parents=True)
    (folder / "question.yaml").write_text("target: {app: 'app:app'}\nrequests: {a: {path: /}}\n")
    (tmp_path / "app").mkdir()
    where = type(paths())(tmp_path, tmp_path)
    with pytest.raises(BadInputError, match="found no question"):
        questions.load(where, "none")


def started(ratio: float, count: int = 4) -> Progress:
    """Starts in which b takes so many times as long."""
    noise = (1.0, 1.002, 0.998, 1.001)
    progress = Progress("1. json-uvicorn-w1", method=TURNS)
    for number in range(1, count + 1):
        times = dict(zip(SIDES, (1.0, noise[number % 4], ratio * noise[number % 3]), strict=True))
        costs = {side: Cost(8.0 * value, value, 1000) for side, value in times.items()}
        progress.starts.append(Start("1. json-uvicorn-w1", number, TURNS, costs))
    return progress


@pytest.mark.parametrize(
    ("ratio", "outcome", "said"),
    [
        (1.5, Outcome.SLOWER, "async def: 1.50× ("),
        (0.4, Outcome.FASTER, "async def: 0.400× ("),
        (1.0, Outcome.SAME, "async def and def take the same CPU per request within 5%: 1.00× ("),
        (1.05, Outcome.UNKNOWN, "async def against def: not known yet, 1.05× ("),
    ],
)
def test_turns(ratio: float, outcome: Outcome, said: str) -> None:
    """As `versus` judges them."""
    told = by_turns(HELD, CONTEST, started(ratio), 0.05)
    assert told.outcome is outcome
    assert told.sentence.startswith(said)
    assert told.sentence.endswith("times as many requests") is (ratio < 0.5)
    assert told.how == "in turn on one core, 4 starts"


def test_turns_that_failed() -> None:
    """Say why, and no figure."""
    progress = Progress("x", failures=["a: it ended"])
    told = by_turns(HELD, CONTEST, progress, 0.05)
    assert (told.ratio, told.outcome) == (None, Outcome.UNKNOWN)
    assert told.sentence == "async def against def: no answer: a: it ended"


def table(rates: dict[str, float], trials: int = 6) -> dict[str, Any]:
    """Rows of cells with these throughputs."""
    noise = (0.99, 1.01, 1.0, 1.0, 0.99, 1.01)
    records = [
        trial(
            cell=f"{endpoint}_json-uvicorn-w1", experiment=f"{endpoint}_json", endpoint=endpoint,
            io="json", round=number, measured=measured(throughput_rps=rate * factor),
        )
        for endpoint, rate in rates.items()
        for number, factor in enumerate(noise[:trials], 1)
    ]  # fmt: skip
    names = tuple(dict.fromkeys(one.cell for one in records))
    return {row.cell: row for row in rows(run(cells=names), records)}


@pytest.mark.parametrize(
    ("rate", "outcome", "ratio"),
    [(50.0, Outcome.SLOWER, 2.0), (200.0, Outcome.FASTER, 0.5), (100.0, Outcome.SAME, 1.0)],
)
def test_trials(rate: float, outcome: Outcome, ratio: float) -> None:
    """Twice the throughput is half the time per request."""
    told = by_trials(HELD, CONTEST, table({"sync": 100.0, "async": rate}))
    assert told.outcome is outcome
    assert told.ratio == pytest.approx(ratio)
    assert told.low is not None
    assert told.high is not None
    assert told.low < ratio < told.high


def test_trials_that_are_too_few() -> None:
    """A cell that was not measured, and one trial alone."""
    missing = by_trials(HELD, CONTEST, table({"sync": 100.0}))
    assert missing.sentence.endswith("no answer: a cell was not measured")
    alone = by_trials(HELD, CONTEST, table({"sync": 100.0, "async": 50.0}, trials=1))
    assert alone.outcome is Outcome.UNKNOWN


def found(outcome: Outcome, ratio: float = 1.5) -> Told:
    """A contest with this outcome."""
    return Told("async def", "def", "json", outcome, ratio, ratio / 1.02, ratio * 1.02, "in turn")


@pytest.mark.parametrize(
    ("outcome", "do"),
    [(Outcome.SLOWER, "Use def."), (Outcome.SAME, "Use either."), (Outcome.UNKNOWN, None)],
)
def test_what_to_do_hangs_on_the_first(outcome: Outcome, do: str | None) -> None:
    """And is nothing where that isn't known, whatever is known of others."""
    told = [found(outcome), found(Outcome.FASTER)]
    assert answer("x", QUESTION, told).do == do


def test_packages_of_two_pythons_are_told_where_they_differ() -> None:
    """Else they would be taken for Python."""
    cells = {side: replace(cell, python="3.10" if side == "a" else "3.12")
             for side, cell in CONTEST.cells.items()}  # fmt: skip
    contest = Contest("x", cells)
    versions = {"3.10": "0.162.0", "3.12": "0.165.0"}
    environments = {
        f"server-uvicorn-{python}": {"packages": {"fastapi": version, "httpx": "1"}}
        for python, version in versions.items()
    }
    told = with_packages(found(Outcome.FASTER, 0.9), contest, environments)
    assert told.sentence.endswith("; packages differ, too: fastapi 0.165.0 and 0.162.0")
    same = with_packages(found(Outcome.FASTER, 0.9), CONTEST, environments)
    assert same.packages == ()


def kept(name: str = "which") -> Section:
    """An answer as it is kept."""
    one = answer(name, QUESTION, [found(Outcome.SLOWER), found(Outcome.SAME, 1.0)])
    cells = [*table({"sync": 100.0, "async": 50.0}).values()]
    return section(one, cells, about="Measured here.", budget_s=200.0, sources="0" * 64)


def test_reports() -> None:
    """For a terminal, for a page and for programs."""
    text = report.plain(kept())
    assert text.startswith(
        "Which one?\n\n  async def: 1.50× (1.47 to 1.53) the time per request of"
    )
    assert "What to do: Use def." in text
    assert "People ask: https://github.com/fastapi/fastapi/issues/732" in text
    page = report.markdown(kept())
    assert page.startswith("## Which one?\n\n**async def: 1.50× (1.47 to 1.53)")
    assert "[fastapi#732](https://github.com/fastapi/fastapi/issues/732). Measured here." in page
    assert "![" not in page
    assert "![Which one? Time per request.](x.svg)" in report.markdown(kept(), "x.svg")
    content = json.loads(report.document(kept()))
    assert [each["outcome"] for each in content["contests"]] == ["slower", "same"]


@pytest.mark.parametrize(
    ("asks", "heading"),
    [
        ("Is `def` or `async def` faster?", "## Is `def` or `async def` faster?"),
        ("What of `a|b`?", "## What of `a\\|b`?"),
        ("A ` alone?", "## A \\` alone?"),
        ("`<b>` and <b>, *or*", "## `<b>` and &lt;b&gt;, \\*or\\*"),
        ("``", "## "),
    ],
)
def test_what_stands_between_backticks_is_code(asks: str, heading: str) -> None:
    """And all else is text, whatever it looks like."""
    assert report.markdown(replace(kept(), asks=asks)).splitlines()[0] == heading


def test_how_servers_ran_is_told_where_they_differ() -> None:
    """And nothing where one server answers all."""
    assert kept().served == ()
    records = [
        trial(cell=f"sync_json-{server}-w1", experiment="sync_json", endpoint="sync", io="json",
              server=server, round=number)
        for server in ("uvicorn", "gunicorn") for number in (1, 2)
    ]  # fmt: skip
    both = rows(run(cells=tuple(dict.fromkeys(one.cell for one in records))), records)
    one = section(
        answer("x", QUESTION, [found(Outcome.SAME)]),
        both,
        about="Here.",
        budget_s=200.0,
        sources="0" * 64,
    )
    told = len([row for row in both if row.fairness is not None])
    assert len(one.served) == told


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two questions and no answer."""
    for name in ("which", "why"):
        (tmp_path / "questions" / name).mkdir(parents=True)
        (tmp_path / "questions" / name / "question.yaml").write_text("question: {}\n")
    (tmp_path / "docs").mkdir()
    page = f"# Mine\n\nBefore\n{pages.BEGIN}\nold\n{pages.END}\nAfter\n"
    (tmp_path / "docs" / "answers.md").write_text(page, "utf-8")
    return tmp_path


def fresh(root: Path, name: str) -> Section:
    """An answer to a question as it is there."""
    return replace(
        kept(name), sources_sha256=fingerprint(root / "questions" / name), asks=f"So {name}?"
    )


def test_answers_are_kept_one_by_one(root: Path) -> None:
    """Each in place of the one before, and what stands around them stays."""
    assert pages.keep(root, [fresh(root, "why")], {}) == 1
    assert pages.keep(root, [fresh(root, "which")], {"which": b"<svg/>"}) == 2
    page = (root / "docs" / "answers.md").read_text("utf-8")
    assert page.startswith("# Mine\n\nBefore\n")
    assert page.endswith(f"{pages.END}\nAfter\n")
    assert page.index("## So which?") < page.index("## So why?")
    assert "| [So which?](#so-which) | async def: 1.50× (1.47 to 1.53), slower |" in page
    assert "](answers/which.svg)" in page
    assert "](answers/why.svg)" not in page
    assert pages.stale(root) == []


def test_a_chart_goes_with_its_answer(root: Path) -> None:
    """One that can't be drawn again, and one whose question is gone."""
    pages.keep(root, [fresh(root, "which"), fresh(root, "why")], {"which": b"1", "why": b"2"})
    pages.keep(root, [fresh(root, "which")], {})
    assert [path.name for path in (root / "docs" / "answers").iterdir()] == ["why.svg"]
    (root / "questions" / "why" / "question.yaml").unlink()
    assert pages.keep(root, [], {}) == 1
    assert [*(root / "docs" / "answers").iterdir()] == []


def test_stale_answers(root: Path) -> None:
    """One that is missing, one of a question that has changed, and a page that was edited."""
    pages.keep(root, [fresh(root, "which")], {})
    assert pages.stale(root) == [
        "docs/answers.md: no answer to why; `nox -s ask -- why --write` renews it"
    ]
    pages.keep(root, [fresh(root, "why")], {})
    (root / "questions" / "why" / "app.py").write_text("app = None\n")
    assert pages.stale(root) == [
        "docs/answers.md: the question why has changed; `nox -s ask -- why --write` renews it"
    ]
    (root / "questions" / "why" / "app.py").unlink()
    page = root / "docs" / "answers.md"
    page.write_text(page.read_text("utf-8").replace("1.50×", "1.05×"), "utf-8")
    assert pages.stale(root) == ["docs/answers.md is stale: `nox -s ask -- --write` makes it anew"]


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "answers.json: can't be read"), ("[]", None)],
)
def test_damaged_answers(root: Path, content: str, said: str | None) -> None:
    """Are told, not overwritten."""
    (root / "docs" / "answers.json").write_text(content)
    if said is None:
        assert pages.read(root) == []
        return
    with pytest.raises(BadInputError, match=said):
        pages.keep(root, [fresh(root, "which")], {})
    assert (root / "docs" / "answers.json").read_text() == content


def test_answers_of_another_schema(root: Path) -> None:
    """Are none that this version reads."""
    pages.keep(root, [replace(fresh(root, "which"), schema=2)], {})
    with pytest.raises(BadInputError, match="found schema 2, this version reads 1"):
        pages.read(root)


def test_a_page_without_markers(root: Path) -> None:
    """Which lines are missing is told."""
    (root / "docs" / "answers.md").write_text("# Mine\n")
    with pytest.raises(BadInputError, match="the markers are missing"):
        pages.keep(root, [fresh(root, "which")], {})


def test_the_answers_here_are_of_the_questions_here() -> None:
    """As `nox -s ask -- --check` says."""
    assert pages.stale(paths().root) == []


def test_the_list_names_all() -> None:
    """A line each."""
    told = command.listed(paths())
    assert all(any(line.startswith(name) for line in told.splitlines()) for name in NAMES)


def test_options() -> None:
    """One question, with less time."""
    _, options = parse(["ask", "middleware", "--budget", "1m"])
    assert isinstance(options, AskOptions)
    assert (options.names, options.budget_s, options.every) == (("middleware",), 60.0, False)
