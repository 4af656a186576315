"""A large trial is digested some millions of requests at a time, with the same figures.

Here a part is some dozens: whatever is cut into parts must come out as if it had not been.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.digest import grouped, read
from bench.digest.raw import read_all
from bench.digest.requests import watched
from bench.digest.series import series_of
from bench.digest.trial import digest
from bench.selfcheck.trial_folder import MS, T0, Call, Request, S, look, page, write_trial
from bench.stats import counted, percentile
from locustfiles import layout
from tests.support.records import trial
from tests.test_digest_generators import write_master, write_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.records.model import Measured

PART = 64
WINDOW_S = 6
T1 = T0 + WINDOW_S * S
KINDS = {2: "HTTP 500", 3: "HTTP 307 (redirect)"}


def requests(seed: int, users: int, mean_ms: float) -> list[Request]:
    """Of users who ask again at once; some fail, and who is left is cut off after the window."""
    draw = np.random.default_rng(seed)
    found = []
    stop = T1 + 50 * MS
    for user in range(users):
        at = T0 - S + int(draw.integers(0, 100 * MS))
        while True:
            took = int(draw.gamma(2.0, mean_ms / 2.0) * MS) + 1
            if at + took >= stop:
                found.append(Request(at, stop, layout.UNFINISHED, user))
                break
            outcome = int(draw.choice([0, 2, 3], p=[0.97, 0.02, 0.01]))
            found.append(Request(at, at + took, outcome, user))
            at += took
    return sorted(found, key=lambda one: one.end_ns)


def facts(**changes: Any) -> dict[str, Any]:
    """Of the trial."""
    pages = {"7": page(pid=7)}
    return {"t1_ns": T1, "workers": [7], "gauges_before": pages, "gauges_after": pages, **changes}


def written(folder: Path, records: Sequence[Request], seed: int = 1) -> Path:
    """The trial, whose handlers took a little less than its requests."""
    draw = np.random.default_rng(seed)
    calls = [
        Call(one.start_ns + 5, one.end_ns - 5, int(draw.integers(1, 5)), int(draw.integers(1, 9)))
        for one in records
        if one.outcome != layout.UNFINISHED and one.end_ns > one.start_ns + 10
    ]
    looks = [look(at, gauges={7: page(pid=7)}) for at in range(T0, T1 + 1, 100 * MS)]
    return write_trial(
        folder,
        requests=records,
        handlers={7: calls},
        looks=looks,
        load_facts={"failure_kinds": KINDS, "spawned_ns": T0 - 800 * MS},
        facts=facts(),
    )


def in_parts(folder: Path) -> Measured:
    """The same trial, read in parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "PART", PART)
        assert read_all(folder).requests.large
        return digest(folder)


def compare(whole: Any, parts: Any, where: str = "") -> None:
    """Counts are equal; figures nearly, and ages to 0.1 %."""
    assert type(whole) is type(parts), where
    if isinstance(whole, float):
        assert parts == pytest.approx(whole, rel=2.5e-3, abs=1e-6), where
    elif isinstance(whole, dict):
        assert whole.keys() == parts.keys(), where
        for key in whole:
            compare(whole[key], parts[key], f"{where}.{key}")
    elif isinstance(whole, list | tuple):
        assert len(whole) == len(parts), where
        for at, (one, other) in enumerate(zip(whole, parts, strict=True)):
            compare(one, other, f"{where}[{at}]")
    else:
        assert whole == parts, where


@given(
    seed=st.integers(0, 10**6),
    users=st.integers(1, 30),
    mean_ms=st.sampled_from([5.0, 40.0, 300.0]),
)
@settings(max_examples=12)
def test_the_figures_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, seed: int, users: int, mean_ms: float
) -> None:
    """All of them."""
    folder = written(tmp_path_factory.mktemp("large"), requests(seed, users, mean_ms), seed)
    whole = digest(folder)
    if whole.requests.started <= PART:
        return
    parts = in_parts(folder)
    for one in fields(whole):
        if one.name in {"latency", "steadiness"}:
            continue
        compare(asdict(whole)[one.name], asdict(parts)[one.name], one.name)
    for name in ("p50", "p90", "p99"):
        one, other = getattr(whole.latency, name), getattr(parts.latency, name)
        assert one.reason == other.reason
        compare(one.value_ms, other.value_ms, name)
        compare(one.over_ms, other.over_ms, name)
        for end in ("low_ms", "high_ms"):
            first, last = getattr(one, end), getattr(other, end)
            assert (first is None) == (last is None)
            if first is not None:
                assert last == pytest.approx(first, rel=0.05)
    compare(whole.latency.mean_measured_ms, parts.latency.mean_measured_ms)
    if whole.steadiness is not None and parts.steadiness is not None:
        compare(whole.steadiness.tapered_rps, parts.steadiness.tapered_rps)
        compare(whole.steadiness.plain_rps, parts.steadiness.plain_rps)
        assert whole.steadiness.swings == parts.steadiness.swings


def test_so_is_what_a_page_draws(tmp_path: Path) -> None:
    """Bins of the trial, and the curve."""
    folder = written(tmp_path, requests(3, 20, 40.0))

    def drawn() -> Any:
        raw = read_all(folder)
        return asdict(series_of(raw, watched(raw), trial(), ()))

    whole = drawn()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "PART", PART)
        parts = drawn()
    for name in ("throughput_rps", "in_flight", "t_s", "t0_s", "stop_s"):
        assert parts[name] == pytest.approx(whole[name], rel=1e-3), name
    assert parts["latency"]["ms"] == pytest.approx(whole["latency"]["ms"], rel=5e-3)


def test_and_of_several_processes(tmp_path: Path) -> None:
    """Whose files are read one after the other."""
    records = requests(5, 20, 20.0)
    whole = digest(written(tmp_path / "one", records))
    several = written(tmp_path / "several", records)
    for number in range(3):
        mine = [one for one in records if one.user % 3 == number]
        write_part(several, number, mine, failure_kinds=KINDS, spawned_ns=T0 - 800 * MS)
    ended = sum(one.outcome != layout.UNFINISHED for one in records)
    write_master(several, 3, len(records), ended)
    parts = in_parts(several)
    assert parts.requests == whole.requests
    assert parts.throughput_rps == pytest.approx(whole.throughput_rps, rel=1e-9)
    assert parts.latency.p90.value_ms == pytest.approx(whole.latency.p90.value_ms, rel=2e-3)


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=300),
    st.sampled_from([1, 50, 90, 99, 100]),
)
def test_percentiles_of_bins_are_within_a_thousandth(values: list[int], q: float) -> None:
    """However few or many there are."""
    bins = grouped.Bins()
    for at in range(0, len(values), 7):
        bins.add(np.array(values[at : at + 7], dtype=np.int64))
    found, truth = grouped.percentile(bins.counted(), q), percentile(values, q)
    assert truth is not None
    assert found == pytest.approx(truth, rel=2e-3, abs=1)
    assert bins.counted().size == len(values)
    assert grouped.percentile(counted(np.zeros(0, dtype=np.int64)), q) is None
