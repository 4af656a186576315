"""Records: what is written is what is read, and what is no record is named."""

from __future__ import annotations

import json
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.plausible import LARGEST, SMALLEST
from bench.problem import BadInput
from bench.record import append, read_run, read_trials, write_run, write_whole
from bench.stats import Percentile
from tests.support.records import measured, run, trial

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
sizes = st.floats(SMALLEST, LARGEST)
floats = st.just(0.0) | sizes | sizes.map(lambda size: -size)
counts = st.integers(0, 10**12)
maybe_floats = st.none() | floats
maybe_counts = st.none() | counts
percentiles = st.builds(Percentile, maybe_floats, maybe_floats, st.none() | texts)
figures = st.fixed_dictionaries(
    {},
    optional={
        "users": counts,
        "delay_s": floats,
        "t0_ns": counts,
        "failure_kinds": st.dictionaries(texts, counts, max_size=3),
        "oldest_unfinished_ms": maybe_floats,
        "p50": percentiles,
        "p99": percentiles,
        "mean_by_little_ms": maybe_floats,
        "spawned": maybe_counts,
        "pool_size": maybe_counts,
        "loop_delay_max_ms": maybe_floats,
        "worker_shares": st.dictionaries(texts, floats, max_size=3),
        "upstream_served": maybe_counts,
        "argv": st.lists(texts, max_size=3).map(tuple),
        "workers_after": st.lists(counts, max_size=3).map(tuple),
        "loop": st.none() | texts,
        "throughput_rps": floats,
        "locust": st.dictionaries(texts, maybe_floats, max_size=3),
    },
)
trials = st.builds(
    lambda found, **named: trial(measured=found, **named),
    st.none() | figures.map(lambda named: measured(**named)),
    cell=texts,
    reason=st.none() | texts,
    index=counts,
    wall_s=floats,
    phases_s=st.dictionaries(texts, floats, max_size=3),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(trials, max_size=3))
def test_trials_come_back_as_they_were_appended(recorded: list[Any]) -> None:
    """Every figure and every text, in order, a line each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.jsonl"
        path.touch()
        for one in recorded:
            append(path, one)
        assert read_trials(path) == tuple(recorded)
        assert path.read_bytes().count(b"\n") == len(recorded)


@settings(max_examples=50, deadline=None)
@given(cells=st.lists(texts, max_size=3).map(tuple), finished=st.none() | texts, seed=counts)
def test_a_run_comes_back_as_it_was_written(
    cells: tuple[str, ...], finished: str | None, seed: int
) -> None:
    """Replaced whole each time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        write_run(path, run())
        wanted = run(cells=cells, finished=finished, seed=seed)
        write_run(path, wanted)
        assert read_run(path) == wanted


def test_the_builder_knows_every_field_by_one_name() -> None:
    """A name that two parts share would set only one of them."""
    parts = [getattr(measured(), field.name) for field in fields(measured())]
    names = [
        f.name for part in parts if hasattr(part, "__dataclass_fields__") for f in fields(part)
    ]
    assert len(names) == len(set(names))
    with pytest.raises(TypeError, match="no_such_figure"):
        measured(no_such_figure=1)


def lines(tmp_path: Path, *, second: str | None) -> Path:
    """A file of three records, the second of which may be something else."""
    path = tmp_path / "trials.jsonl"
    for _ in range(3):
        append(path, trial())
    if second is not None:
        kept = path.read_text().splitlines()
        path.write_text("\n".join([kept[0], second, kept[2]]) + "\n")
    return path


def changed(**overrides: Any) -> str:
    """A record's line with some keys changed."""
    path = Path(tempfile.mkdtemp()) / "one"
    append(path, trial())
    line = path.read_text()
    path.unlink()
    path.parent.rmdir()
    return json.dumps(json.loads(line) | overrides)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ("garbage", "the whole: Invalid JSON"),
        ("", "the whole: Invalid JSON"),
        ("[]", "the whole: "),
        ("{}", "schema: Field required"),
        (changed(index="first"), "index: "),
        (changed(measured={"load": {}}), "measured.load.users: Field required"),
        (changed()[:200], "the whole: Invalid JSON"),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, second: str, told: str) -> None:
    """File, line, what is wrong there; nothing is passed over in silence."""
    path = lines(tmp_path, second=second)
    with pytest.raises(BadInput) as caught:
        read_trials(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:2: {told}")
    assert message.endswith("; it is no record of schema 1 that this version wrote")


def test_three_good_lines_are_three_records(tmp_path: Path) -> None:
    """The other side of the test above."""
    assert read_trials(lines(tmp_path, second=changed(index=7)))[1].index == 7


def test_a_trial_of_another_schema_is_named(tmp_path: Path) -> None:
    """Its figures may mean something else, however alike it looks."""
    path = lines(tmp_path, second=changed(schema=2))
    with pytest.raises(BadInput, match=r"trials\.jsonl:2: schema: "):
        read_trials(path)


def test_a_run_of_another_schema_is_named(tmp_path: Path) -> None:
    """As for trials."""
    write_run(tmp_path / "run.json", run(schema=2))
    with pytest.raises(BadInput, match=r"run\.json: schema: "):
        read_run(tmp_path / "run.json")


@pytest.mark.parametrize("figure", ["NaN", "Infinity"])
def test_a_figure_that_is_no_number_is_named(tmp_path: Path, figure: str) -> None:
    """It could not be summarised nor written to latest.json."""
    line = changed(wall_s=12345678.0).replace("12345678.0", figure)
    with pytest.raises(BadInput, match=r"trials\.jsonl:2: wall_s: "):
        read_trials(lines(tmp_path, second=line))


@pytest.mark.parametrize("read", [read_trials, read_run])
def test_a_file_that_cannot_be_read_is_bad_input(tmp_path: Path, read: Any) -> None:
    """Missing, or a folder."""
    with pytest.raises(BadInput, match="nowhere: can't be read: No such file or directory"):
        read(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="can't be read: Is a directory"):
        read(tmp_path)


def test_a_run_that_is_no_json_is_bad_input(tmp_path: Path) -> None:
    """The file is named."""
    path = tmp_path / "run.json"
    path.write_bytes(b"\xff{")
    with pytest.raises(BadInput, match=r"run\.json: the whole: Invalid JSON"):
        read_run(path)


def test_append_leaves_what_is_there(tmp_path: Path) -> None:
    """Earlier lines stay byte for byte."""
    path = tmp_path / "trials.jsonl"
    append(path, trial(index=1))
    before = path.read_bytes()
    append(path, trial(index=2))
    assert path.read_bytes().startswith(before)
    assert [one.index for one in read_trials(path)] == [1, 2]


def test_write_whole_replaces_and_leaves_no_draft(tmp_path: Path) -> None:
    """One file before, one after."""
    path = tmp_path / "report.md"
    write_whole(path, "old, and longer than the new one\n")
    write_whole(path, "new – ✓\n")
    assert path.read_text(encoding="utf-8") == "new – ✓\n"
    assert list(tmp_path.iterdir()) == [path]


def test_write_whole_keeps_the_old_file_when_the_text_cannot_be_written(tmp_path: Path) -> None:
    """A failure half way leaves the old file whole, and no draft."""
    path = tmp_path / "report.md"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new" * 10000 + "\ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_whole_leaves_no_draft_when_the_target_cannot_be_replaced(tmp_path: Path) -> None:
    """Here the target is a folder."""
    path = tmp_path / "report.md"
    path.mkdir()
    with pytest.raises(OSError, match=r"report\.md"):
        write_whole(path, "new")
    assert list(tmp_path.iterdir()) == [path]
