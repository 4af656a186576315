"""Which cores each process gets: the choice is pure, its effect is the kernel's."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BadInputError
from bench.placement import Placement, as_text, place
from bench.report.caption import cores_note
from bench.run.host.cpus import affinity, placement
from bench.run.process.children import Keeper, start
from tests.support.records import run

if TYPE_CHECKING:
    from pathlib import Path

ALONE = [(cpu,) for cpu in range(128)]


def test_each_gets_cores_of_its_own_where_there_are_four() -> None:
    """The generator and the delay server one each, the server all others."""
    assert place("auto", range(4), 4, ALONE) == Placement("auto", (0, 1), (2,), (3,))
    assert place("auto", range(7), 7, ALONE) == Placement("auto", (0, 1, 2, 3, 4), (5,), (6,))


def test_the_generator_gets_a_core_in_four() -> None:
    """For the processes that it may need; where it is said how many it has, one each."""
    assert place("auto", range(8), 8, ALONE) == Placement("auto", (0, 1, 2, 3, 4), (5, 6), (7,))
    one = place("auto", range(8), 8, ALONE, generators=1)
    assert one == Placement("auto", (0, 1, 2, 3, 4, 5), (6,), (7,))
    four = place("auto", range(8), 8, ALONE, generators=4)
    assert four == Placement("auto", (0, 1, 2), (3, 4, 5, 6), (7,))
    # The server keeps one, the delay server, too: the processes share the rest.
    many = place("auto", range(8), 8, ALONE, generators=100)
    assert many == Placement("auto", (0,), (1, 2, 3, 4, 5, 6), (7,))


def test_threads_of_one_core_stay_together() -> None:
    """With cores enough, nobody shares one by its hardware threads."""
    siblings = [(0, 4), (1, 5), (2, 6), (3, 7)] * 2
    assert place("auto", range(8), 8, siblings) == Placement("auto", (0, 1, 4, 5), (2, 6), (3, 7))
    # Two cores of two threads each are four CPUs, and better than sharing all.
    assert place("auto", range(4), 4, [(0, 2), (1, 3)]) == Placement("auto", (0, 1), (2,), (3,))


@pytest.mark.parametrize(("cpus", "cores"), [(3, 3), (2, 2), (1, 1), (64, 2)])
def test_with_fewer_cores_they_share(cpus: int, cores: int) -> None:
    """A quota of two cores is two cores, on however many CPUs."""
    assert not place("auto", range(cpus), cores, ALONE).pinned


def test_off_is_off() -> None:
    """On any machine."""
    assert place("off", range(64), 64, ALONE) == Placement("off")


def test_cpus_can_be_named() -> None:
    """Ranges and sums; a role that is not named runs anywhere."""
    asked = "server=0-2+5,generator=7"
    assert place(asked, range(8), 8, ALONE) == Placement(asked, (0, 1, 2, 5), (7,), ())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("explicit", "which CPUs each gets, as in `--pin server="),
        ("", "found ''"),
        ("server", "found 'server'"),
        ("server=", "allowed: auto, off"),
        ("worker=1", "allowed: auto, off"),
        ("server=1,server=2", "allowed: auto, off"),
        ("server=2-1,generator=9", "names CPU 9, this machine lets us use 0, 1"),
        ("server=-1", "allowed: auto, off"),
    ],
)
def test_what_is_no_placement_is_told(asked: str, told: str) -> None:
    """With what is allowed."""
    with pytest.raises(BadInputError) as refused:
        place(asked, range(2), 2, ALONE)
    assert told in str(refused.value)
    assert "--pin" in str(refused.value)


@given(cpus=st.sets(st.integers(0, 63), min_size=1), cores=st.integers(1, 64))
def test_no_cpu_is_given_twice(cpus: set[int], cores: int) -> None:
    """All that is pinned is ours, and everybody has something or nobody has."""
    found = place("auto", sorted(cpus), cores, ALONE)
    given_out = (*found.server, *found.generator, *found.delay)
    assert len(given_out) == len(set(given_out))
    assert set(given_out) <= cpus
    assert bool(found.server) == bool(found.generator) == bool(found.delay) == found.pinned


def test_a_placement_is_told_in_words() -> None:
    """Ranges where they are, roles that run anywhere left out; else that they share."""
    assert as_text({"server": [0, 1, 2, 5], "generator": [6], "delay": []}) == (
        "server 0-2+5, load generator 6"
    )
    pinned = run(placement={"asked": "auto", "server": [0, 1], "generator": [2], "delay": [3]})
    assert cores_note(pinned) == (
        "Kept to CPUs of their own: server 0-1, load generator 2, delay server 3."
    )
    assert cores_note(run()).startswith("Server, load generator and delay server share the 2 cores")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinity")
def test_a_child_runs_where_it_was_put(tmp_path: Path) -> None:
    """From its first instruction on."""
    cpu = max(os.sched_getaffinity(0))
    program = "import json, os; print(json.dumps({'cpus': sorted(os.sched_getaffinity(0))}))"
    keeper = Keeper()
    child = start(
        "the child",
        [sys.executable, "-c", program],
        keeper=keeper,
        cwd=tmp_path,
        env=dict(os.environ),
        log=tmp_path / "log",
        tells="stdout",
        cpus=[cpu],
    )
    try:
        assert child.event(10.0) == {"cpus": [cpu]}
    finally:
        child.stop(0)
        keeper.close()
    assert affinity(os.getpid()) == sorted(os.sched_getaffinity(0))
    assert json.dumps(placement("off", 2).server) == "[]"
