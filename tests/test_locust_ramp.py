"""How the users begin, on a clock that only sleeping moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from locustfiles.layout import LONGEST_RAMP_S
from locustfiles.ramp import Part, Time, fixed_ramp, following_ramp

NS = 1_000_000_000


@dataclass
class Loop:
    """A server with one worker: answers come after a wait, and work one after another."""

    least_s: float
    work_s: float
    now_ns: int = 5 * NS
    ended: int = 0
    latest_ns: int = 0
    latest_end_ns: int = 0
    free_ns: int = 0
    began: list[float] = field(default_factory=list)
    _due: list[tuple[int, int]] = field(default_factory=list)  # end and start of each in flight

    def set(self) -> None:
        """A user begins: its turn is this loop itself."""
        self.began.append((self.now_ns - 5 * NS) / NS)
        self._ask()

    def _ask(self) -> None:
        ready_ns = max(self.now_ns, self.free_ns) + int(self.work_s * NS)
        self.free_ns = ready_ns
        self._due.append((ready_ns + int(self.least_s * NS), self.now_ns))

    def sleep(self, pause_s: float) -> None:
        """What is due by then is answered, and asked again at once."""
        until = self.now_ns + int(pause_s * NS)
        while self._due and min(self._due)[0] <= until:
            end_ns, start_ns = min(self._due)
            self._due.remove((end_ns, start_ns))
            self.now_ns = max(self.now_ns, end_ns)
            self.ended += 1
            self.latest_ns, self.latest_end_ns = end_ns - start_ns, end_ns
            self._ask()
        self.now_ns = until

    @property
    def time(self) -> Time:
        """Its clock."""
        return Time(lambda: self.now_ns, self.sleep)


def ramp(loop: Loop, users: int, *, phase: float = 0.5) -> list[float]:
    """When each user began, seconds after the first."""
    following_ramp([loop] * users, loop.time, loop, phase=phase, least_s=loop.least_s, workers=1)
    return loop.began


def test_a_fixed_ramp_has_its_rate() -> None:
    """The first at once, the last when all others have begun."""
    loop = Loop(0.1, 0.001)
    fixed_ramp([loop] * 11, loop.time, 5.0)
    assert loop.began == pytest.approx([number / 5 for number in range(11)])


def test_where_only_the_delay_is_waited_for_it_is_spread_over_the_delay() -> None:
    """After the first answer, evenly: so the answers come evenly, too."""
    began = ramp(Loop(0.2, 0.0), 50)
    assert began[0] == 0.0
    assert began[-1] - began[1] == pytest.approx(0.2 * 48 / 50, rel=0.02)
    gaps = [b - a for a, b in pairwise(began[1:])]
    assert max(gaps) == pytest.approx(min(gaps), rel=0.05)


@pytest.mark.parametrize("work_s", [0.002, 0.02, 0.05])
def test_where_the_server_is_busy_it_is_spread_over_a_round(work_s: float) -> None:
    """50 users of a server that takes so long for each."""
    round_s = max(50 * work_s, 0.2 + work_s)
    began = ramp(Loop(0.2, work_s), 50)
    assert 0.5 * round_s <= began[-1] - began[1] <= 1.7 * round_s


def test_a_blocked_server_is_not_waited_for_longer_than_five_seconds() -> None:
    """A round of 50 users takes ten there; those who are late begin together."""
    began = ramp(Loop(0.0, 0.2), 50)
    assert began[-1] == pytest.approx(LONGEST_RAMP_S, abs=0.2)
    assert len(began) == 50


def test_a_server_that_answers_nothing_gets_all_users_all_the_same() -> None:
    """After five seconds."""
    began = ramp(Loop(1000.0, 0.0), 50)
    assert len(began) == 50
    assert began[1] == pytest.approx(LONGEST_RAMP_S, abs=0.01)


def test_the_phase_moves_the_others_against_the_first() -> None:
    """By up to one pause."""
    early, late = ramp(Loop(0.2, 0.0), 50, phase=0.0), ramp(Loop(0.2, 0.0), 50, phase=0.9)
    assert late[1] - early[1] == pytest.approx(0.9 * 0.2 / 50, rel=0.1)


def test_parts_have_a_fixed_rate_together() -> None:
    """Each lets its own begin between those of the others."""
    began = []
    for number in range(3):
        loop = Loop(0.1, 0.001)
        fixed_ramp([loop] * 4, loop.time, 5.0, Part(number, 3))
        began += loop.began
    assert sorted(began) == pytest.approx([number / 5 for number in range(12)])


def test_parts_of_a_following_ramp_fall_between_each_other() -> None:
    """Each has its first user at once, and after its answer the others, evenly in between."""
    began = []
    for number in range(4):
        loop = Loop(0.2, 0.0)
        following_ramp(
            [loop] * 10,
            loop.time,
            loop,
            phase=0.5,
            least_s=0.2,
            workers=1,
            part=Part(number, 4),
        )
        began += loop.began[1:]
    gaps = [later - earlier for earlier, later in pairwise(sorted(began))]
    assert max(gaps) == pytest.approx(0.2 / 40, rel=0.05)
    assert min(gaps) == pytest.approx(0.2 / 40, rel=0.05)


def test_one_user_has_no_ramp() -> None:
    """It begins, and that is all."""
    assert ramp(Loop(0.2, 0.0), 1) == [0.0]
