"""Records on disk: what is whole is read as it was written, what isn't is named."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BadInputError
from bench.paths import ROOT
from bench.records import checksum
from bench.records.bounds import LARGEST, SMALLEST
from bench.records.journal import (
    Read,
    append,
    read_controls,
    read_run,
    read_series,
    read_trials,
    run_bytes,
    write_run,
)
from bench.records.model import ControlRecord, Damage
from bench.stats import Percentile
from tests.support.records import measured, run, series, trial

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
        "users": st.integers(1, 10**12),
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
        recorded = [replace(one, index=n, round=n) for n, one in enumerate(recorded)]
        for one in recorded:
            append(path, one)
        assert read_trials(path) == Read(tuple(recorded), ())
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


# Under a limit on file sizes a write fails as on a full disk, for whoever runs the tests.
LIMITED = """
import resource, sys
from pathlib import Path
from bench.records.journal import append
from tests.support.records import trial
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
for index in range(1, 10):
    try:
        append(path, trial(index=index, round=index))
    except OSError as error:
        print(index, error.strerror, error.filename, sep="|")
        break
"""


RECORDS = tuple(trial(index=n, round=n, measured=None) for n in range(1, 5))


@cache
def content() -> bytes:
    """A file of these."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.jsonl"
        for record in RECORDS:
            append(path, record)
        return path.read_bytes()


def ends() -> list[int]:
    """Where its lines end."""
    return [at for at, byte in enumerate(content()) if byte == ord("\n")]


def line(**overrides: Any) -> bytes:
    """A record's line, without its end, with a sum that is right whatever is in it."""
    with tempfile.TemporaryDirectory() as folder:
        append(Path(folder) / "one", trial())
        text = (Path(folder) / "one").read_bytes().partition(b",")[2]
    whole = json.loads(b"{" + text) | overrides
    return checksum.seal(json.dumps(whole, separators=(",", ":")).encode(), checksum.LINE)


def second(tmp_path: Path, middle: bytes) -> Path:
    """A file of three lines, the second of which is something else."""
    path = tmp_path / "trials.jsonl"
    first, _, third, *_ = content().split(b"\n")
    path.write_bytes(b"\n".join([first, middle, third, b""]))
    return path


@pytest.mark.parametrize(
    ("middle", "told"),
    [
        (b"garbage", "it is no JSON"),
        (b"\xff\x00", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"", "it is no JSON"),
        (b"[]", "it has no checksum"),
        (b"{}", "it has no checksum"),
        (b"{" + line().partition(b",")[2], "it has no checksum"),
        (line().replace(b'"crc32":"', b'"crc32":"0'), "its checksum doesn't match"),
        (line(index=3).replace(b'"index":3', b'"index":2'), "its checksum doesn't match"),
        (line()[:200], "it is cut off"),
        (line()[:12], "it is cut off"),
        (line(schema=7), "it is of schema 7, this version reads 2"),
        (b'{"schema":7,"another":"form"}', "it is of schema 7, this version reads 2"),
        (line(schema="x"), "it is no record that this version wrote: schema: Input should be 2"),
        (line(index="first"), "it is no record that this version wrote: index: "),
        (line(measured={"load": {}}), "written: measured.load.users: Field required"),
        (line(wall_s=float("nan")), "it is no record that this version wrote: "),
        (line(wall_s=float("inf")), "it is no record that this version wrote: "),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, middle: bytes, told: str) -> None:
    """File, line, what is wrong there; the records around it are read."""
    found = read_trials(second(tmp_path, middle))
    assert [record.index for record in found.records] == [1, 3]
    (damage,) = found.damage
    assert damage.place == "trials.jsonl:2"
    assert told.replace("written: ", "") in damage.what


def test_three_whole_lines_are_three_records(tmp_path: Path) -> None:
    """The other side of the test above."""
    found = read_trials(second(tmp_path, line(index=7, round=2)))
    assert [record.index for record in found.records] == [1, 7, 3]
    assert found.damage == ()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_flipped_byte_costs_its_own_record_at_most(data: st.DataObject) -> None:
    """Wherever it is, whatever it becomes: the other records are read, and it is named."""
    at = data.draw(st.integers(0, len(content()) - 1) | st.sampled_from(ends()))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content()[at]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.jsonl"
        path.write_bytes(content()[:at] + bytes([byte]) + content()[at + 1 :])
        found = read_trials(path)
    hit = content()[:at].count(b"\n")
    assert found.records == RECORDS[:hit] + RECORDS[hit + 1 :]
    assert {one.place for one in found.damage} <= {
        f"trials.jsonl:{hit + 1}", f"trials.jsonl:{hit + 2}"
    }  # fmt: skip
    assert found.damage


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_keeps_its_whole_records(data: st.DataObject) -> None:
    """Exactly those; the rest is named; and what is appended afterwards is whole."""
    cut = data.draw(st.integers(0, len(content())) | st.sampled_from(ends()))
    # A record is whole without the end of its line.
    whole = RECORDS[: sum(end <= cut for end in ends())]
    torn = cut > 0 and cut not in ends() and cut - 1 not in ends()
    next_one = trial(index=5, round=5, measured=None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.jsonl"
        path.write_bytes(content()[:cut])
        found = read_trials(path)
        append(path, next_one)
        after = read_trials(path)
        assert path.read_bytes().startswith(content()[:cut])
        assert path.read_bytes().splitlines()[-1].startswith(checksum.LINE)
    assert found.records == whole
    assert [one.what for one in found.damage] == ["it is cut off"] * torn
    assert after.records == (*whole, next_one)
    assert [one.place for one in after.damage] == [one.place for one in found.damage]


def test_of_two_records_of_a_trial_the_first_counts(tmp_path: Path) -> None:
    """The later one is named; the second entry of a cell in a round is no such."""
    path = tmp_path / "trials.jsonl"
    kept = [trial(), trial(twin=True), trial(round=2), trial(cell="other")]
    for record in (*kept[:3], trial(wall_s=99.0), kept[3]):
        append(path, record)
    found = read_trials(path)
    assert found.records == tuple(kept)
    what = "it is a second record of sync_http-uvicorn-w1, round 1; line 1 counts"
    assert found.damage == (Damage("trials.jsonl:4", what),)


@pytest.mark.parametrize("torn", [b"", b'{"crc'])
def test_a_file_of_another_schema_is_bad_input(tmp_path: Path, torn: bytes) -> None:
    """Both schemas are told: nothing is made from it, and nothing measured on top of it."""
    path = tmp_path / "trials.jsonl"
    path.write_bytes(line(schema=7) + b"\n" + line(schema=7) + b"\n" + torn)
    with pytest.raises(BadInputError) as caught:
        read_trials(path)
    assert str(caught.value) == (
        f"{path}: it is of schema 7, this version reads 2; the version that wrote it can read it"
    )


def test_series_are_kept_as_trials_are(tmp_path: Path) -> None:
    """One a trial, what is whole of them, and the first of two; none where there is no file."""
    path = tmp_path / "series.jsonl"
    assert read_series(path) == Read((), ())
    kept = [series(), series(twin=True), series(round=2)]
    for one in (*kept, series(t0_s=1.0), series(round=3)):
        append(path, one)
    path.write_bytes(path.read_bytes()[:-5])
    found = read_series(path)
    assert found.records == tuple(kept)
    assert found.damage == (
        Damage(
            "series.jsonl:4",
            "it is a second record of sync_http-uvicorn-w1, round 1; line 1 counts",
        ),
        Damage("series.jsonl:5", "it is cut off"),
    )


def test_damaged_controls_are_named(tmp_path: Path) -> None:
    """As trials are; a control is repeated where a run is resumed, and that is no damage."""
    path = tmp_path / "controls.jsonl"
    control = ControlRecord(2, "r", "start", 0, 100, None, 6000.0, 16.0, 0.9, 0.5)
    for _ in range(3):
        append(path, control)
    path.write_bytes(path.read_bytes()[:-5])
    found = read_controls(path)
    assert found.records == (control, control)
    assert found.damage == (Damage("controls.jsonl:3", "it is cut off"),)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_flipped_byte_in_a_run_is_seen(data: st.DataObject) -> None:
    """Wherever it is; so is a cut."""
    whole = run_bytes(run())
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        for content in (whole[:at] + bytes([byte]) + whole[at + 1 :], whole[:at]):
            path.write_bytes(content)
            with pytest.raises(BadInputError, match=r"run\.json: it"):
                read_run(path)


def test_a_run_of_another_schema_is_bad_input(tmp_path: Path) -> None:
    """Both schemas are told."""
    write_run(tmp_path / "run.json", run(schema=7))
    with pytest.raises(BadInputError, match="it is of schema 7, this version reads 2; the version"):
        read_run(tmp_path / "run.json")


@pytest.mark.parametrize("read", [read_trials, read_run])
def test_a_file_that_cannot_be_read_is_bad_input(tmp_path: Path, read: Any) -> None:
    """Missing, or a folder."""
    with pytest.raises(BadInputError, match="nowhere: can't be read: No such file or directory"):
        read(tmp_path / "nowhere")
    with pytest.raises(BadInputError, match="can't be read: Is a directory"):
        read(tmp_path)


def test_append_leaves_what_is_there(tmp_path: Path) -> None:
    """Earlier lines stay byte for byte."""
    path = tmp_path / "trials.jsonl"
    append(path, trial(index=1))
    before = path.read_bytes()
    append(path, trial(index=2, round=2))
    assert path.read_bytes().startswith(before)
    assert [one.index for one in read_trials(path).records] == [1, 2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    """The system itself names none where a write fails."""
    path = tmp_path / "trials.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        append(path, trial())
    assert caught.value.filename == str(path)


def test_a_full_disk_keeps_what_was_appended(tmp_path: Path) -> None:
    """No half line is left, and with room again the next one follows."""
    path = tmp_path / "trials.jsonl"
    room = len(line()) * 5 // 2
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(room)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == f"3|File too large|{path}\n"
    kept = [trial(index=index, round=index) for index in (1, 2)]
    assert read_trials(path) == Read(tuple(kept), ())
    append(path, trial(index=3, round=3))
    assert [one.index for one in read_trials(path).records] == [1, 2, 3]
