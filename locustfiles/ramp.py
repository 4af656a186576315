"""How the users begin: spread over one of their rounds, so that they make no wave.

A round is what a user takes from one request to the next. It isn't known before, so one user asks
first, and from then on the pace follows the latest answer: each pause is an n-th of the time that
it took. Where the server is busy with m of n users an answer takes m / X seconds at X requests a
second, so the pauses grow with the queue, and all are there within half a round to one round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from locustfiles.layout import LONGEST_RAMP_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POLL_S = 0.002


class Turn(Protocol):
    """What a user waits for before its first request."""

    def set(self) -> object:
        """Let it begin."""


class Answers(Protocol):
    """The requests that have ended so far."""

    ended: int
    latest_ns: int  # how long the last one took
    latest_end_ns: int


@dataclass(frozen=True, slots=True)
class Time:
    """The clock and how to wait, both of which a test can fake."""

    now_ns: Callable[[], int]
    sleep: Callable[[float], object]  # seconds

    def now(self) -> float:
        """In seconds."""
        return self.now_ns() / 1e9

    def sleep_until(self, due: float) -> None:
        """Not at all if that is past."""
        pause_s = due - self.now()
        if pause_s > 0:
            self.sleep(pause_s)


@dataclass(frozen=True, slots=True)
class Part:
    """Which of how many processes these users are of; they begin between those of the others."""

    number: int = 0
    of: int = 1


WHOLE = Part()


def fixed_ramp(turns: Sequence[Turn], time: Time, rate: float, part: Part = WHOLE) -> None:
    """So many a second of all processes together, the first at once."""
    began = time.now()
    for index, turn in enumerate(turns):
        time.sleep_until(began + (index * part.of + part.number) / rate)
        turn.set()


def following_ramp(
    turns: Sequence[Turn],
    time: Time,
    answers: Answers,
    *,
    phase: float,
    least_s: float,
    workers: int,
    part: Part = WHOLE,
) -> None:
    """Spread over one round of all users, but at most 5 s.

    Args:
        turns: of the users, in the order in which they begin.
        time: to wait with.
        answers: what has come back, kept up to date by the users.
        phase: by which part of a pause, 0 to 1, the others begin after the first one's answer.
        least_s: what a request takes at least.
        workers: of the server.
        part: of all users, that these are.
    """
    first, *others = turns
    latest = time.now() + LONGEST_RAMP_S
    first.set()
    while not answers.ended and time.now() < latest:
        time.sleep(POLL_S)
    # What one answer takes beyond its wait is work that all users' requests share the server for.
    work_s = max(0.0, answers.latest_ns / 1e9 - least_s)
    guess_s = max(answers.latest_ns / 1e9, len(turns) * part.of * work_s / workers)
    due = time.now()
    pauses = (phase + part.number) / part.of
    for turn in others:
        due += pauses * max(guess_s, _round_s(answers, time)) / len(turns)
        time.sleep_until(min(due, latest))
        turn.set()
        pauses = 1.0


def _round_s(answers: Answers, time: Time) -> float:
    """What the latest answer took, or the time since it if that is longer."""
    silent_ns = time.now_ns() - answers.latest_end_ns if answers.latest_end_ns else 0
    return max(answers.latest_ns, silent_ns) / 1e9
