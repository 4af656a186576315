"""Where the users are: worked out by hand, and from whole trials made of random requests."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.probe import layout as probe
from bench.analysis.places import faulty
from bench.digest.trial import digest
from bench.records.model import Places
from bench.selfcheck.trial_folder import MS, T0, T1, Call, Request, S, look, page, write_trial
from bench.stats import tapered_occupancy
from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

USERS = 4  # of the profile that trial folders are made with
PID = 100


@dataclass(frozen=True, slots=True)
class Journey:
    """One request's instants, in this order, as all parties saw them; ns."""

    sent: int
    entered: int
    queued: int
    dequeued: int
    begun: int
    asked: int  # the delay server
    answered: int
    ended: int
    left: int
    received: int


def journey(start_ms: float, *took_ms: float) -> Journey:
    """From when it was sent, and how long it was in each place; what is left out takes no time."""
    took = [*took_ms, *[0.0] * (9 - len(took_ms))]
    instants = T0 + (np.cumsum([start_ms, *took]) * MS).astype(np.int64)
    return Journey(*instants.tolist())


def spent(journeys: Sequence[Journey]) -> dict[str, float]:
    """Users in each place, exactly: weighted by the window's taper."""
    table = np.array([list(asdict(one).values()) for one in journeys], dtype=np.int64).reshape(
        -1, 10
    )
    parts = [
        tapered_occupancy(table[:, at].copy(), table[:, at + 1].copy(), T0, T1) for at in range(9)
    ]
    return {
        "generator": USERS - sum(parts),
        "way": parts[0] + parts[8],
        "thread_queue": parts[2],
        "before": parts[1] + parts[3],
        "upstream": parts[5],
        "handler": parts[4] + parts[6],
        "after": parts[7],
    }


def seen(journeys: Sequence[Journey], every_ms: int = 2) -> Iterable[dict[str, Any]]:
    """What the harness sees of them, so often, from before the window until after it."""

    def by(name: str, at: int) -> list[int]:
        return [instant for one in journeys if (instant := getattr(one, name)) <= at]

    for at in range(T0 - 100 * MS, T1 + 101 * MS, every_ms * MS):
        asked, answered = by("asked", at), by("answered", at)
        yield look(
            at,
            gauges={
                PID: page(
                    pid=PID,
                    started=by("entered", at),
                    finished=by("left", at),
                    queued=by("queued", at),
                    dequeued=by("dequeued", at),
                )
            },
            upstream_ns=(len(asked) * at - sum(asked)) - (len(answered) * at - sum(answered)),
        )


def trial(folder: Path, journeys: Sequence[Journey], **changes: Any) -> Path:
    """The trial in which they were made."""
    parts: dict[str, Any] = {
        "requests": [Request(one.sent, one.received) for one in journeys],
        "handlers": {PID: [Call(one.begun, one.ended) for one in journeys]},
        "looks": seen(journeys),
        "facts": {"upstream_calls": 1, "waits": True, "threaded": True},
    }
    return write_trial(folder, **(parts | changes))


def places(folder: Path) -> Places:
    """As digested."""
    found = digest(folder).places
    assert found is not None
    return found


def known(found: Places) -> dict[str, float]:
    """The places that are known."""
    return {name: users for name, users in asdict(found).items() if users is not None}


DURATION = st.integers(0, 400)
JOURNEYS = st.lists(
    st.builds(journey, st.integers(-1500, 1200), *[DURATION] * 9), min_size=1, max_size=25
)


@settings(max_examples=40, deadline=None)
@given(journeys=JOURNEYS)
def test_places_add_up_to_all_users(
    tmp_path_factory: pytest.TempPathFactory, journeys: list[Journey]
) -> None:
    """Whatever they do; and each holds whom it held, but for what goes on between two looks."""
    found = known(places(trial(tmp_path_factory.mktemp("random"), journeys)))
    assert sum(found.values()) == pytest.approx(USERS)
    assert found == pytest.approx(spent(journeys), abs=0.002 * len(journeys))


def test_each_place_by_hand(tmp_path: Path) -> None:
    """One user is in the same place for all of the window, the others ask for nothing."""
    stay = 3000
    ways = {"way": 0, "before": 1, "thread_queue": 2, "handler": 4, "upstream": 5, "after": 7}
    for place, at in ways.items():
        found = places(trial(tmp_path / place, [journey(-1000, *[0] * at, stay)]))
        assert known(found) == pytest.approx(
            dict.fromkeys(["generator", *ways], 0.0) | {"generator": USERS - 1.0, place: 1.0},
            abs=1e-9,
        )


def test_an_awaiting_handler_waits_for_threads_itself(tmp_path: Path) -> None:
    """It has begun when it calls on the pool, so that wait is a part of its time."""
    facts = {"upstream_calls": 0, "threaded": False}
    inside = journey(-1000, 0, 0, 0, 0, 500, 0, 2500)  # its handler, all the window
    moved = Journey(**(asdict(inside) | {"queued": T0 - S, "dequeued": T1 + S}))
    found = places(trial(tmp_path, [moved, inside], facts=facts))
    assert found.thread_queue == pytest.approx(1.0)
    assert found.handler == pytest.approx(1.0)
    assert found.before == pytest.approx(0.0)
    assert found.upstream == 0.0


def test_who_is_never_answered_is_somewhere_all_the_same(tmp_path: Path) -> None:
    """Cut off at the stop, its handler under way: in the handler, at the delay server."""
    one = journey(-500, 0, 0, 0, 0, 0, 5000)
    found = places(
        trial(
            tmp_path,
            [one],
            requests=[Request(one.sent, T1 + 7 * MS, layout.UNFINISHED)],
            handlers={PID: [Call(one.begun, 0)]},
        )
    )
    assert found.upstream == pytest.approx(1.0)
    assert sum(known(found).values()) == pytest.approx(USERS)


def test_where_handlers_cannot_be_seen_they_are_one_place(tmp_path: Path) -> None:
    """Another framework's: what is inside is known, what it does there isn't."""
    found = places(trial(tmp_path, [journey(-500, 100, 2000)], handlers={}))
    assert known(found) == pytest.approx({"generator": 3.0, "way": 0.0, "inside": 1.0})


def test_without_a_probe_only_the_generator_is_known(tmp_path: Path) -> None:
    """Who isn't there is somewhere else."""
    looks = [look(ns) for ns in (T0, T1)]
    found = places(trial(tmp_path, [journey(-500, 2000)], handlers={}, looks=looks))
    assert known(found) == pytest.approx({"generator": 3.0})


def test_without_the_delay_servers_page_its_part_is_the_handlers(tmp_path: Path) -> None:
    """Unknown, not zero; and they add up."""
    one = journey(-500, 0, 0, 0, 0, 600, 2000)
    looks = [shown | {"upstream_ns": None} for shown in seen([one])]
    found = places(trial(tmp_path, [one], looks=looks))
    assert known(found).keys() == {"generator", "way", "thread_queue", "before", "handler", "after"}
    assert found.handler == pytest.approx(1.0)


def test_a_page_half_way_through_a_change_is_passed_over(tmp_path: Path) -> None:
    """Its count without its instant would be as many users as the machine has been up."""
    one = journey(-500, 0, 2000)
    looks = list(seen([one], every_ms=20))
    torn = page(pid=PID, started=[one.entered])
    torn[probe.G_STARTED_SUM] = 0
    looks[20]["gauges"] = {str(PID): torn}
    found = places(trial(tmp_path, [one], looks=looks))
    assert found.before == pytest.approx(1.0)


def test_a_party_that_counts_too_much_is_a_fault_of_ours() -> None:
    """Less than nobody in a place, by more than 2 % of the users; a little less is rounding."""
    assert faulty(Places(generator=-1.9, way=40.0, after=None), 100) == ()
    assert faulty(Places(generator=-2.1, way=40.0, handler=-3.0), 100) == ("generator", "handler")
