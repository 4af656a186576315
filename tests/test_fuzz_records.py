"""Any records: a report or a refusal that names the file, and never a figure that is no number."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bench import publish
from bench.analysis.metrics import METRICS
from bench.records import checksum, journal, model
from bench.run.history import run_folders
from tests.support.fuzz import Done, check, command, examples
from tests.support.records import example as recorded
from tests.support.records import trial

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fuzz
RUN, _ALL = recorded(4)
CELLS = {*RUN.cells[:3], RUN.cells[4], RUN.cells[-1]}  # a verdict each
TRIALS = [one for one in _ALL if one.cell in CELLS]
TWINS = [trial(round=number, index=90 + number, twin=True) for number in range(1, 5)]
CONTROLS = [
    model.ControlRecord(2, RUN.id, when, wait_ms, 100, None, 3000.5, 1.5 + wait_ms, 0.9, 0.3)
    for when in ("start", "end")
    for wait_ms in (0, 1000)
]
NO_FIGURE = re.compile(r"\b(nan|inf)\b")  # as Python writes them; no text has them, see TEXTS


def _json(one: Any) -> Any:
    return TypeAdapter(type(one)).dump_python(one, mode="json")


FILES: dict[str, list[Any]] = {
    journal.RUN_FILE: [_json(RUN)],
    journal.TRIALS_FILE: [_json(one) for one in (*TRIALS, *TWINS)],
    journal.CONTROLS_FILE: [_json(one) for one in CONTROLS],
}


def _sealed(name: str, found: list[Any]) -> bytes:
    """As they are written: a fault behind a checksum that matches is the harder one to see."""
    if name == journal.RUN_FILE:
        return checksum.seal((json.dumps(found[0], indent=1) + "\n").encode(), checksum.PAGE)
    texts = (json.dumps(one, separators=(",", ":")) for one in found)
    return b"".join(checksum.seal(text.encode(), checksum.LINE) + b"\n" for text in texts)


CONTENT = {name: _sealed(name, found) for name, found in FILES.items()}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published run, and the folder it comes from."""
    output = tmp_path_factory.mktemp("fuzz") / "reports"
    folder = output / "runs" / RUN.id
    run_folders.create(folder, RUN)
    _write(output, {})
    publish.publish(folder, output, lambda _: None)
    return output


def _write(output: Path, changed: dict[str, bytes]) -> None:
    """The records as they were but for those that are changed, published and not."""
    for name, written in CONTENT.items():
        content = changed.get(name, written)
        (output / "runs" / RUN.id / name).write_bytes(content)
        (output / f"{publish.LATEST}{name}").write_bytes(content)


def every_command_survives(output: Path, changed: dict[str, bytes]) -> None:
    """Each ends with a status; what it refuses it names; what it prints and writes is numbers."""
    _write(output, changed)
    rendered = _run(output, "report")
    if rendered.status == 0:
        assert not NO_FIGURE.search((output / "latest.md").read_text("utf-8"))
        json.loads((output / "latest.json").read_text("utf-8"), parse_constant=pytest.fail)
    _run(output, "readme", "--check")
    compared = _run(output, "compare", RUN.id, RUN.id, "--json", str(output / "compared.json"))
    assert not NO_FIGURE.search(compared.out)


def _run(output: Path, *arguments: str) -> Done:
    done = command(*arguments, "--output", str(output))
    check(done)
    if done.status >= 2:
        assert done.status == 2
        assert any(name in done.err for name in (*CONTENT, "Nothing to compare", "has no cells"))
    return done


NUMBERS = st.sampled_from([
    0, -0.0, -1, 1, 2, 1.5, -1e-9, 1e-17, 1e-49, 1e-51, 5e-324, 1e18, -1e18, 9e18, 1e19, 1e20,
    1e308, -1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, 10**400, float("nan"),
    float("inf"),
    float("-inf"), 1e400,
]) | st.floats() | st.integers()  # fmt: skip
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from([
    "", "valid", "suspect", "measured", "failed", "skipped", "async_sync", "sync", "start", "end",
    "<script>", "|", "`", "a\nb", "\x1b[2J", "x" * 3000, "no such endpoint",
    "2026-13-45", "server", "[a](http://b)", "\\", "T",
])  # fmt: skip
TEXTS = WORDS.map(lambda text: NO_FIGURE.sub("x", text))
VALUES = st.recursive(
    NUMBERS | TEXTS | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def _places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    ways = [way for key in _keys(value) for way in _places(value[key], (*here, key))]
    return [here, *ways] if here else ways


@st.composite
def changed_values(draw: st.DrawFn) -> dict[str, bytes]:
    """One of the files with some of its values replaced, most by others of their kind."""
    name = draw(st.sampled_from([*FILES]))
    found = deepcopy(FILES[name])
    which = draw(st.integers(0, len(found) - 1))
    ways = _places(found[which])
    for _ in range(draw(st.integers(1, 4))):
        *way, key = draw(st.sampled_from(ways))
        everywhere = draw(st.booleans())
        old = _at(found[which], [*way, key])
        new = draw(_like(old) | _like(old) | _like(old) | VALUES)
        for one in found if everywhere else [found[which]]:
            parent = _at(one, way)
            if key in _keys(parent):
                parent[key] = new
    return {name: _sealed(name, found)}


def _at(value: Any, way: list[Any]) -> Any:
    for step in way:
        value = value[step] if step in _keys(value) else None  # replaced before
    return value


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value]
    return [*range(len(value))] if isinstance(value, list) else []


def _like(old: Any) -> st.SearchStrategy[Any]:
    if isinstance(old, bool):
        return st.booleans()
    if isinstance(old, int | float):
        return NUMBERS
    return TEXTS if isinstance(old, str) else VALUES


def _all(name: str, **figures: Any) -> dict[str, bytes]:
    """All records of a file with some figures replaced, wherever they stand."""

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(part) for part in value]
        if not isinstance(value, dict):
            return value
        return {key: figures.get(key, put(part)) for key, part in value.items()}

    return {name: _sealed(name, [put(one) for one in FILES[name]])}


@examples(60)
@given(changed=changed_values())
@example(changed=_all("run.json", cores=0))
@example(changed=_all("run.json", cores=-1))
@example(changed=_all("run.json", environments={"go": "1.23"}))
@example(changed=_all("run.json", environments={"s": {"role": "server", "packages": [1]}}))
@example(changed=_all("run.json", environments={"s": {"role": "server", "packages": {"h11": 1}}}))
@example(changed=_all("run.json", git={"commit": float("nan")}))
@example(changed=_all("run.json", seed=10**400))
@example(changed=_all("run.json", warmup_s=-1e18, delay_s=1e-49))
@example(changed=_all("trials.jsonl", workers=0))
@example(changed=_all("trials.jsonl", window_succeeded=-7, window_failed=7))
@example(changed=_all("trials.jsonl", pool_size=10**400))
@example(changed=_all("trials.jsonl", server_cores=1e308, foreign_cores=1e308))
@example(changed=_all("trials.jsonl", throughput_rps=5e-324))
@example(changed=_all("trials.jsonl", throughput_rps=1e308, measured=None, outcome="valid"))
@example(changed=_all("trials.jsonl", measured=None))
@example(changed=_all("trials.jsonl", delay_s=5e-324, users=10**18))
@example(changed=_all("trials.jsonl", t0_ns=10, t1_ns=1, users=0, pool_busy_avg=-5.0))
@example(changed=_all("trials.jsonl", endpoint="none", io="", server="", python=""))
@example(changed=_all("controls.jsonl", throughput_rps=5e-324))
@example(changed=_all("controls.jsonl", throughput_rps=0, p50_ms=1e308))
def test_records_with_other_values(reports: Path, changed: dict[str, bytes]) -> None:
    """Numbers out of all proportion, texts for numbers, nothing for something."""
    every_command_survives(reports, changed)


@st.composite
def damaged_bytes(draw: st.DrawFn) -> dict[str, bytes]:
    """One of the files with bytes cut out, put in or doubled."""
    name = draw(st.sampled_from([*CONTENT]))
    content = CONTENT[name]
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(content))), draw(st.sampled_from([0, 1, 4, 4000]))
        piece = draw(st.binary(max_size=6) | st.just(content[at : at + length]) | st.sampled_from([
            b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b'"\\ud800"', b"\xff", b"[" * 500, b"\n",
            b'{"a":' * 500, b"\x00", b",", b"}", b"\r", b"\x0b", b"\xef\xbb\xbf",
        ]))  # fmt: skip
        content = content[:at] + piece + content[at + length * draw(st.booleans()) :]
    return {name: content}


@examples(60)
@given(changed=damaged_bytes())
@example(changed={"run.json": b""})
@example(changed={"trials.jsonl": b""})
@example(changed={"trials.jsonl": b"\n"})
@example(changed={"run.json": b"[" * 100_000})
@example(changed={"run.json": b'{"git":' * 100_000})
def test_records_with_other_bytes(reports: Path, changed: dict[str, bytes]) -> None:
    """Files cut short, lines joined, bytes that are no text."""
    every_command_survives(reports, changed)


@examples(60)
@given(key=st.sampled_from(["rows", "run", "host", "environments", "schema"]), value=VALUES)
@example(key="environments", value={"s": {"role": "server", "packages": [1]}})
@example(key="environments", value={"s\n": {"role": "server", "python": "\x1b[2J"}})
@example(key="host", value={"cpu": float("nan"), "cores": 10**400})
def test_a_document_with_other_values_is_compared_or_refused(
    reports: Path, key: str, value: Any
) -> None:
    """latest.json may come from anywhere: `compare` takes any path."""
    _write(reports, {})
    _run(reports, "report")
    path = reports / "other-run.json"
    document = json.loads((reports / "latest.json").read_text("utf-8"))
    path.write_text(json.dumps(document | {key: value}), "utf-8")
    for options in ([], ["--anyway"]):
        done = command("compare", str(path), "latest", "--output", str(reports), *options)
        check(done)
        assert not NO_FIGURE.search(done.out) or "NOT THE SAME" in done.out


@examples(60)
@given(figures=st.lists(NUMBERS, min_size=4, max_size=4))
@example(figures=[5e-324, 1e308, 5e-324, 1e308])
@example(figures=[1e-49, 1e18, 1e-49, 1e18])
def test_a_document_with_other_figures_is_compared_or_refused(
    reports: Path, figures: list[float]
) -> None:
    """Ratios of what is very large to what is very small are numbers, or there are none."""
    _write(reports, {})
    _run(reports, "report")
    document = json.loads((reports / "latest.json").read_text("utf-8"))
    names = tuple(metric.name for metric in METRICS)
    for row in document["rows"]:
        for number, sample in enumerate(row["samples"]):
            if number % 2:
                sample |= dict(zip(names, figures, strict=True))
    path, written = reports / "other-run.json", reports / "compared.json"
    path.write_text(json.dumps(document | {"run": document["run"] | {"id": "other"}}), "utf-8")
    done = command("compare", str(path), "latest", "--json", str(written), "--output", str(reports))
    check(done)
    assert not NO_FIGURE.search(done.out)
    if done.status == 0:
        json.loads(written.read_text("utf-8"), parse_constant=pytest.fail)


def test_reports_that_are_no_text_are_stale(reports: Path) -> None:
    """`readme --check` compares bytes: a corrupt latest.json is no traceback."""
    _write(reports, {})
    _run(reports, "report")
    (reports / "latest.json").write_bytes(b"\xff")
    assert _run(reports, "readme", "--check").status == 1
