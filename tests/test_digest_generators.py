"""What several generator processes left is read as if one had left it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.digest.generators import generated
from bench.digest.read import Unreadable
from bench.digest.trial import digest
from bench.selfcheck.trial_folder import (
    MS,
    T0,
    T1,
    Request,
    S,
    look,
    write_load,
    write_requests,
    write_trial,
)
from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

KINDS = ("HTTP 500", "RemoteDisconnected", "HTTP 404")


def write_part(folder: Path, number: int, requests: Iterable[Request], **load: Any) -> int:
    """Of one process; gives how many requests it started."""
    records = list(requests)
    write_requests(folder, records)
    (folder / "requests.bin").rename(folder / f"requests-{number}.bin")
    write_load(folder, started=len(records), **load)
    (folder / "generator.json").rename(folder / f"generator-{number}.json")
    return len(records)


def write_master(
    folder: Path, parts: int, started: int, ended: int, clocks: dict[int, list[Any]] | None = None
) -> None:
    """What the master was told."""
    summary: dict[str, Any] = {
        "clocks": clocks or {},
        "parts": parts,
        "started": started,
        "recorded": started,
        "locust": {"requests": ended, "failures": 0, "p50_ms": 1, "p90_ms": 2, "p99_ms": 3},
    }
    (folder / "generator.json").write_text(json.dumps(summary), encoding="utf-8")


def request(start_ms: int, took_ms: int, outcome: int = layout.SUCCEEDED) -> Request:
    """From some ms after the window's beginning on."""
    start_ns = T0 + start_ms * MS
    return Request(start_ns, start_ns + took_ms * MS, outcome)


def test_failures_get_common_numbers(tmp_path: Path) -> None:
    """Each process numbers them as they come."""
    first = [request(0, 5, 2), request(10, 5, 3), request(20, 5)]
    other = [request(5, 5, 2), request(15, 5, 3)]
    write_part(tmp_path, 0, first, failure_kinds={2: KINDS[0], 3: KINDS[1]})
    write_part(tmp_path, 1, other, failure_kinds={2: KINDS[1], 3: KINDS[2]})
    write_master(tmp_path, 2, 5, 5)
    found = generated(tmp_path)
    assert found.processes == 2
    log = found.requests.whole()
    names = [found.summary.failure_kinds.get(int(one), "") for one in log.outcome]
    assert names == [KINDS[0], KINDS[1], KINDS[1], KINDS[2], ""]
    assert np.all(np.diff(log.end_ns) > 0)


def test_so_do_the_kinds_of_requests_of_somebodys_own_users(tmp_path: Path) -> None:
    """Their names are known only as they are asked for."""
    write_part(tmp_path, 0, [request(0, 5)], kinds=["/a", "/b"])
    write_part(tmp_path, 1, [request(1, 5)], kinds=["/b"], unseen=3)
    write_master(tmp_path, 2, 2, 2)
    found = generated(tmp_path)
    assert found.summary.kinds == ["/a", "/b"]
    assert found.requests.whole().kind.tolist() == [0, 1]
    assert found.summary.unseen == 3


REQUESTS = st.lists(
    st.tuples(
        st.integers(-3000, 6000),
        st.integers(1, 900),
        st.sampled_from([layout.SUCCEEDED, layout.UNFINISHED, 2, 3]),
    ),
    min_size=1,
    max_size=60,
)


@given(requests=REQUESTS, parts=st.integers(2, 4), data=st.data())
def test_however_requests_are_dealt_to_processes_the_figures_are_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    requests: Sequence[tuple[int, int, int]],
    parts: int,
    data: st.DataObject,
) -> None:
    """But for who counted them, and how many processes there were."""
    folder = tmp_path_factory.mktemp("trial")
    kinds = {2: KINDS[0], 3: KINDS[1]}
    # The order of a log is that of the ends; of two at once any.
    made = sorted((request(*one) for one in requests), key=lambda one: (one.end_ns, one.start_ns))
    load = {"failure_kinds": kinds, "started": len(made)}
    whole = digest(write_trial(folder / "one", requests=made, load_facts=load))
    split = write_trial(folder / "several", load_facts=load)
    dealt = data.draw(st.lists(st.integers(0, parts - 1), min_size=len(made), max_size=len(made)))
    for number in range(parts):
        mine = [one for one, to in zip(made, dealt, strict=True) if to == number]
        write_part(split, number, mine, failure_kinds=kinds)
    ended = sum(one.outcome != layout.UNFINISHED for one in made)
    write_master(split, parts, len(made), ended)
    found = digest(split)
    assert found.load == replace(whole.load, generators=parts)
    assert found.counters == replace(whole.counters, generator_counted=ended)
    assert found.requests == whole.requests
    assert found.latency == whole.latency
    assert found.throughput_rps == pytest.approx(whole.throughput_rps)
    assert found.failures_rps == pytest.approx(whole.failures_rps)
    assert (found.steadiness is None) == (whole.steadiness is None)
    if found.steadiness is not None and whole.steadiness is not None:
        assert asdict(found.steadiness) == pytest.approx(asdict(whole.steadiness))


def test_the_busiest_process_and_the_latest_one_count(tmp_path: Path) -> None:
    """One without time is enough to hold its users up, whatever the others have to spare."""
    window_s = (T1 - T0) / S
    looks = [
        look(T0, cpu_s={"generator": {20: 0.0, 21: 0.0, 22: 1.0}}),
        look(T1, cpu_s={"generator": {20: 0.1, 21: 0.3, 22: 1.0 + 0.9 * window_s}}),
    ]
    for one, waited in zip(looks, ((0.0, 0.0), (0.1 * window_s, 0.05 * window_s)), strict=True):
        one["generators_waited_s"] = dict(zip(("21", "22"), waited, strict=True))
    folder = write_trial(tmp_path, looks=looks, facts={"generators": [21, 22]})
    write_part(folder, 0, [request(0, 5)], lateness_ns=[(T0, 2 * MS)])
    write_part(folder, 1, [request(1, 5)], lateness_ns=[(T0, 7 * MS), (T1 + S, 900 * MS)])
    write_master(folder, 2, 2, 2)
    signals = digest(folder).signals
    assert signals.generator_busiest == pytest.approx(0.9)
    assert signals.generator_waited == pytest.approx(0.05)
    assert signals.generator_cores == pytest.approx(0.9 + 0.4 / window_s)
    assert signals.generator_late_p99_ms == 7.0


def looked(offset_ns: int, bound_ns: int, at_ns: int) -> dict[str, int]:
    """The master's look at a clock."""
    return {"offset_ns": offset_ns, "bound_ns": bound_ns, "at_ns": at_ns, "exchanges": 50}


@given(
    offset=st.integers(-(T0 - 20 * S), 10**15),  # their clock has gone since it was started
    drift=st.integers(-(10**6), 10**6),
    bounds=st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)),
)
def test_times_of_another_machine_are_told_by_this_ones_clock(
    tmp_path_factory: pytest.TempPathFactory, offset: int, drift: int, bounds: tuple[int, int]
) -> None:
    """All of them by as much, so that what a request took stays what its own clock said."""
    folder = tmp_path_factory.mktemp("away")
    here = [request(0, 5), request(40, 50)]
    there = [request(10, 20), request(30, 55, layout.UNFINISHED)]
    moved = [replace(one, start_ns=one.start_ns + offset, end_ns=one.end_ns + offset)
             for one in there]  # fmt: skip
    write_part(folder, 0, here)
    write_part(
        folder,
        1,
        moved,
        first_spawn_ns=T0 - 6 * S + offset,
        spawned_ns=T0 - 5 * S + offset,
        lateness_ns=[(T0 + offset, 3)],
        usage=[(T0 + offset, 1.0, 0.5), (T1 + offset, 1.4, 0.6)],
    )
    looks = [
        looked(offset - drift, bounds[0], T0 - 10 * S),
        looked(offset + drift, bounds[1], T1 + S),
    ]
    write_master(folder, 2, 4, 3, clocks={1: looks})
    found = generated(folder)
    assert found.requests.whole().start_ns.tolist() == [
        one.start_ns for one in sorted((*here, *there), key=lambda one: one.end_ns)
    ]
    assert found.summary.first_spawn_ns == T0 - 6 * S
    assert found.lateness_ns[1] == [(T0, 3)]
    assert found.usage == {1: [(T0, 1.0, 0.5), (T1, 1.4, 0.6)]}
    clock = found.clocks[1]
    assert clock.shift_ns == offset
    assert clock.bound_ns == max(bounds) + abs(drift)


def test_a_process_elsewhere_says_itself_how_busy_it_is(tmp_path: Path) -> None:
    """And how long it waited; nobody here can look."""
    folder = write_trial(tmp_path, facts={"generators": []})
    window_s = (T1 - T0) / S
    usage = [(T0 - S, 5.0, 1.0), (T0, 5.0, 1.0), (T1, 5.0 + 0.6 * window_s, 1.0 + 0.1 * window_s)]
    write_part(folder, 0, [request(0, 5)], usage=usage)
    write_master(folder, 1, 1, 1, clocks={0: [looked(0, 10**6, T0 - S), looked(0, 10**6, T1 + S)]})
    found = digest(folder)
    assert found.signals.generator_busiest == pytest.approx(0.6)
    assert found.signals.generator_waited == pytest.approx(0.1)
    assert (found.load.generators, found.load.away) == (1, 1)
    assert (found.load.clock_bound_ms, found.load.clock_fast) == (1.0, 0.0)
    unseen = [(ns, cpu_s, -1.0) for ns, cpu_s, _ in usage]  # no Linux
    write_part(folder, 0, [request(0, 5)], usage=unseen)
    write_master(folder, 1, 1, 1, clocks={0: [looked(0, 10**6, T0 - S), looked(0, 10**6, T1 + S)]})
    assert digest(folder).signals.generator_waited is None


def test_a_clock_that_was_looked_at_once_is_not_known(tmp_path: Path) -> None:
    """Nothing of such a process can be put beside the others."""
    write_part(tmp_path, 0, [request(0, 5)])
    write_part(tmp_path, 1, [request(0, 5)])
    write_master(tmp_path, 2, 2, 2, clocks={1: [looked(0, 5, T0)]})
    with pytest.raises(Unreadable, match="the clock of load generator process 2 is not known"):
        generated(tmp_path)


def test_a_process_whose_file_is_missing_makes_the_trial_unreadable(tmp_path: Path) -> None:
    """No part of the load is left out unsaid."""
    write_part(tmp_path, 0, [request(0, 5)])
    write_master(tmp_path, 2, 2, 2)
    with pytest.raises(Unreadable, match=r"generator-1\.json can't be read"):
        generated(tmp_path)
    write_master(tmp_path, 0, 0, 0)
    with pytest.raises(Unreadable, match="it is of no process"):
        generated(tmp_path)
