"""Load settings: from the file's models to the harness's own, and what is wrong between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.config import machines
from bench.config.model import ProfileModel
from bench.config.rules import ramp_allowed, spawn_rate_allowed, window_allowed
from bench.config.settings import IN_FLIGHT, Held, Profile, Question
from locustfiles.arrivals import POISSON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.config.mistakes import Mistake
    from bench.config.model import LoadModel, OpenModel, QuestionModel
    from bench.config.source import Loc, Source


def profile(name: str, model: LoadModel) -> Profile:
    """The checked settings; nothing waits for the delay server in one's own application."""
    asked = _open(model)
    return Profile(
        name=name,
        users=model.users,
        delay_s=_delay_s(model),
        budget_s=model.budget,
        rounds=model.rounds,
        precision=model.precision,
        longest_s=model.longest,
        spawn_rate=model.spawn_rate,
        warmup_s=model.warmup,
        duration_s=model.duration,
        rate=None if asked is None else asked.rate,
        arrivals=POISSON if asked is None else asked.arrivals,
        in_flight=IN_FLIGHT if asked is None else asked.in_flight,
        generators=model.generators if isinstance(model.generators, int) else None,
        machines=(
            tuple(map(machines.parse, model.generators))
            if isinstance(model.generators, list)
            else ()
        ),
        listen=model.listen,
    )


def question(model: QuestionModel | None) -> Question | None:
    """The validated question as the harness's own data."""
    if model is None:
        return None
    contests = tuple(Held(one.a, one.b, one.says, one.than) for one in model.contests)
    return Question(model.asks, tuple(model.links), model.by, contests, dict(model.do))


def profile_mistakes(name: str, model: LoadModel, source: Source) -> Iterator[Mistake]:
    """What only shows between the values of one profile."""
    place: Loc = ("profiles", name)
    given = model.model_fields_set
    if {"budget", "rounds"} <= given:
        found = f"{source.found((*place, 'rounds'))} beside a budget"
        yield source.mistake((*place, "rounds"), found, "one of budget and rounds")
    if not {"budget", "rounds"} & given:
        allowed = "one of them: budget: 12m for a run, or rounds: 6 for each cell"
        yield source.mistake(place, "neither budget nor rounds", allowed)
    delay_s, asked = _delay_s(model), _open(model)
    rules = {
        "duration": window_allowed(model.duration, delay_s),
        # A window that is given has no use for the longest.
        "longest": None if "duration" in given else window_allowed(model.longest, delay_s),
        "spawn_rate": spawn_rate_allowed(model.users, model.spawn_rate)
        or ramp_allowed(model.spawn_rate, None if asked is None else asked.rate),
    }
    for key, fits in rules.items():
        if fits is not None:  # of a key that is there: defaults fit all delays
            where = (*place, key)
            yield source.mistake(where, source.found(where), fits)


def _open(model: LoadModel) -> OpenModel | None:
    return model.load if "load" in model.model_fields_set else None


def _delay_s(model: LoadModel) -> float:
    return model.delay if isinstance(model, ProfileModel) else 0.0
