"""Effects: answers from pairs of cells, together where they agree and apart where they don't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.answers import open_cells
from bench.analysis.effects import Effect, Outcome, Part, effects
from bench.analysis.rows import Row, rows
from bench.records.model import WorkerSignals
from bench.report.answers import by_turns, sentence
from tests.support.records import measured, run, trial

if TYPE_CHECKING:
    from bench.records.model import TrialRecord

NOISE = (0.99, 1.01, 1.0, 1.0, 0.99, 1.01)  # of a cell's trials: 1 %


def cell(endpoint: str, io: str, server: str = "uvicorn", workers: int = 1) -> str:
    """As ids are made."""
    suffix = "_sync" if endpoint == "async_sync" else ""
    return f"{endpoint.partition('_')[0]}_{io}{suffix}-{server}-w{workers}"


def trials(
    endpoint: str, io: str, rate: float, *, server: str = "uvicorn", workers: int = 1,
    noise: tuple[float, ...] = NOISE, trials: int = 6, **figures: Any,
) -> list[TrialRecord]:  # fmt: skip
    """Of one cell, around this throughput."""
    name = cell(endpoint, io, server, workers)
    return [
        trial(
            cell=name, experiment=name.partition("-")[0], endpoint=endpoint, io=io, server=server,
            workers=workers, round=number, wall_s=10.0,
            measured=measured(throughput_rps=rate * factor, **figures),
        )
        for number, factor in enumerate(noise[:trials], 1)
    ]  # fmt: skip


def table(*cells: list[TrialRecord]) -> tuple[Row, ...]:
    """Their rows."""
    records = [one for found in cells for one in found]
    return rows(run(cells=tuple(dict.fromkeys(one.cell for one in records))), records)


def only(found: tuple[Effect, ...], level: str, of: str | None) -> Effect:
    """The one effect of this level over these cells."""
    (effect,) = [effect for effect in found if (effect.level, effect.of) == (level, of)]
    return effect


def parts(effect: Effect) -> dict[str, Part]:
    """By worker count."""
    return {dict(part.where)["workers"]: part for part in effect.parts}


def test_a_blocking_call_costs_what_the_ratio_says() -> None:
    """Each io kind for itself, over all servers that agree."""
    found = effects(
        table(
            trials("async", "http", 36.0),
            trials("async_sync", "http", 1.0),
            trials("async", "http", 36.5, server="gunicorn"),
            trials("async_sync", "http", 1.0, server="gunicorn"),
            trials("async", "json", 900.0),
        ),
        50,
    )
    effect = only(found, "async_sync", "http")
    (part,) = effect.parts
    assert (part.outcome, part.pairs) == (Outcome.DIFFERENT, 2)
    assert 1 / part.ratio == pytest.approx(36.25, rel=1e-3)
    assert part.low < part.ratio < part.high
    assert sentence(effect).startswith("One blocking call in `async def` costs 36.2× (36.0 to 36.5")
    assert sentence(effect).endswith(" throughput with http at 50 users [2 pairs of cells]")
    assert not [e for e in found if e.of == "json"]  # nothing to compare it with


def test_pairs_that_disagree_are_told_apart() -> None:
    """0.6 with one worker and 1.26 with two are no "no clear difference"."""
    cells = [
        trials(endpoint, "http_pooled", rate * (1 if endpoint == "sync" else ratio), server=server,
               workers=workers)
        for workers, rate, ratio in ((1, 40.0, 0.6), (2, 70.0, 1.26))
        for server in ("uvicorn", "gunicorn")
        for endpoint in ("sync", "async")
    ]  # fmt: skip
    effect = only(effects(table(*cells), 50), "async", "http_pooled")
    found = parts(effect)
    assert found["1"].ratio == pytest.approx(0.6)
    assert found["2"].ratio == pytest.approx(1.26)
    assert {part.outcome for part in effect.parts} == {Outcome.DIFFERENT}
    assert sentence(effect) == (
        "`async def` against `def` with http_pooled at 50 users: with 1 worker 0.600×"
        f" ({found['1'].low:.3f} to {found['1'].high:.3f}); with 2 workers 1.26×"
        f" ({found['2'].low:.2f} to {found['2'].high:.2f})"
    )


def test_the_axis_that_explains_the_disagreement_is_the_one_named() -> None:
    """Here the server; the worker counts agree."""
    cells = [
        trials(endpoint, "json", 100.0 * (ratio if endpoint == "async" else 1), server=server,
               workers=workers)
        for server, ratio in (("uvicorn", 1.5), ("hypercorn", 0.8))
        for workers in (1, 2)
        for endpoint in ("sync", "async")
    ]  # fmt: skip
    effect = only(effects(table(*cells), 50), "async", "json")
    assert [dict(part.where).get("server") for part in effect.parts] == ["uvicorn", "hypercorn"]
    assert [part.pairs for part in effect.parts] == [2, 2]


def test_a_disagreement_below_a_tenth_is_averaged() -> None:
    """However sure it is: it is of no use to anyone."""
    cells = [
        trials(endpoint, "json", 100.0 * (ratio if endpoint == "async" else 1), workers=workers,
               noise=(0.9999, 1.0001) * 3)
        for workers, ratio in ((1, 1.50), (2, 1.58))
        for endpoint in ("sync", "async")
    ]  # fmt: skip
    effect = only(effects(table(*cells), 50), "async", "json")
    assert len(effect.parts) == 1


@pytest.mark.parametrize(
    ("ratio", "noise", "outcome", "told"),
    [
        (1.01, NOISE, Outcome.SAME, "have the same throughput within 5% with json at 50 users"),
        (1.20, NOISE, Outcome.DIFFERENT, "`async def` has 1.20× ("),
        (0.80, NOISE, Outcome.DIFFERENT, "`def` has 1.25× ("),
        (1.05, NOISE, Outcome.UNKNOWN, "not known yet, 1.05× ("),
        (1.20, (0.8, 1.2, 1.0, 0.9, 1.1, 1.0), Outcome.UNKNOWN, "not known yet, 1.19× ("),
        (1.00, (0.8, 1.2, 1.0, 0.9, 1.1, 1.0), Outcome.UNKNOWN, "not known yet, 0.992× ("),
    ],
)
def test_three_outcomes(
    ratio: float, noise: tuple[float, ...], outcome: Outcome, told: str
) -> None:
    """Within 5 %, wholly beyond, or neither."""
    found = effects(
        table(
            trials("sync", "json", 100.0),
            trials("async", "json", 100.0 * ratio, noise=noise),
        ),
        50,
    )
    effect = only(found, "async", "json")
    assert effect.parts[0].outcome is outcome
    assert told in sentence(effect)


def test_what_is_not_known_says_how_long_would_tell() -> None:
    """From the time that its trials have taken; where no time would do, that."""
    wide = (0.9, 1.1, 1.0, 0.94, 1.06, 1.0)
    found = effects(
        table(
            trials("sync", "json", 100.0, noise=wide),
            trials("async", "json", 115.0, noise=wide),
        ),
        50,
    )
    (part,) = only(found, "async", "json").parts
    assert part.outcome is Outcome.UNKNOWN
    assert part.more_s is not None
    reach, needed = part.high / part.ratio, part.ratio / 1.05
    assert 0 < part.more_s < 600
    assert reach > needed
    assert "more of measuring would tell" in sentence(only(found, "async", "json"))
    near = effects(table(trials("sync", "json", 100.0), trials("async", "json", 105.0)), 50)
    assert only(near, "async", "json").parts[0].more_s is None
    assert "too near to 5% to be told" in sentence(only(near, "async", "json"))


COMPUTES: dict[str, Any] = {
    "per_worker": (WorkerSignals(pid=4712, cores=0.97, loop_cores=0.9, loop_held_share=0.3),),
    "server_cores": 0.97,
    "pool_waiting_avg": 0.0,
    "pool_busy_avg": 0.0,
}
WIDE = (0.9, 1.1, 1.0, 0.94, 1.06, 1.0)


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({**COMPUTES, "delay_s": 0.0}, ("sync_json-uvicorn-w1", "async_json-uvicorn-w1")),
        ({**COMPUTES, "delay_s": 0.2}, None),  # a block of turns would be all waiting
        ({"delay_s": 0.0}, None),
    ],
)
def test_of_cells_that_compute_turns_tell_sooner(
    figures: dict[str, Any], told: tuple[str, str] | None
) -> None:
    """What isn't known yet, base first; never of what is."""
    pair = [trials(name, "json", 100.0, noise=WIDE, **figures) for name in ("sync", "async")]
    found = effects(table(*pair), 50)
    assert [part.turns for part in only(found, "async", "json").parts] == [told]
    command = "`nox -s versus -- sync_json-uvicorn-w1 async_json-uvicorn-w1`"
    assert (by_turns(found, own=False) or "").endswith(command if told else "")
    assert by_turns(found, own=True) is None or "--config FILE" in str(by_turns(found, own=True))
    known = [trials(name, "json", 100.0, **figures) for name in ("sync", "async")]
    told_of = only(effects(table(*known), 50), "async", "json").parts
    assert [part.turns for part in told_of] == [None]


def test_more_workers_take_no_turns() -> None:
    """They can't share cores alike."""
    pair = [
        trials("sync", "json", 100.0, workers=n, noise=WIDE, delay_s=0.0, **COMPUTES)
        for n in (1, 2)
    ]
    assert [part.turns for part in only(effects(table(*pair), 50), "2", None).parts] == [None]


def test_unstable_rows_are_told_and_not_averaged() -> None:
    """A mean of two regimes is none of them."""
    regimes = (35 / 99, 1.0, 35.3 / 99, 1.01, 34.8 / 99, 0.99)
    found = effects(
        table(
            trials("sync", "http_pooled", 40.0),
            trials("async", "http_pooled", 99.0, noise=regimes),
            trials("sync", "http_pooled", 40.0, server="gunicorn"),
            trials("async", "http_pooled", 80.0, server="gunicorn"),
        ),
        50,
    )
    effect = only(found, "async", "http_pooled")
    assert (effect.parts[0].pairs, effect.unstable) == (1, 1)
    assert sentence(effect).endswith("; 1 pair left out: one of the two cells has two regimes")


def test_what_is_hardly_known_agrees_with_nothing() -> None:
    """A cell that falls into a slow state at any time: a mean over its pairs would be of none."""
    chaos = (2.4, 0.82, 0.33)
    found = effects(
        table(
            trials("sync", "http_pooled", 195.0, workers=1),
            trials("async", "http_pooled", 100.0, workers=1, noise=chaos),
            trials("sync", "http_pooled", 240.0, workers=2),
            trials("async", "http_pooled", 100.0, workers=2, noise=(1.0, 0.4, 2.2)),
        ),
        50,
    )
    effect = only(found, "async", "http_pooled")
    assert (effect.parts, effect.vague) == ((), 2)
    assert sentence(effect).endswith(
        "no answer; 2 pairs left out: one of the two cells is known to worse than ± 50 %"
    )


def test_one_trial_is_not_passed_off_as_its_cell() -> None:
    """However well its fellows are known: it may be of another regime than the next."""
    found = effects(
        table(
            trials("sync", "http_pooled", 200.0),
            trials("async", "http_pooled", 63.0, trials=1),
            trials("sync", "http_pooled", 200.0, server="gunicorn"),
            trials("async", "http_pooled", 240.0, server="gunicorn"),
        ),
        50,
    )
    effect = only(found, "async", "http_pooled")
    assert (effect.parts[0].pairs, effect.alone, effect.unstable) == (1, 1, 0)
    assert "`async def` has 1.20×" in sentence(effect)
    assert sentence(effect).endswith("; 1 pair left out: a single trial of one of the two counts")


def test_rows_without_an_interval_answer_nothing() -> None:
    """One trial a cell: whether it is a difference can't be told."""
    found = effects(
        table(trials("sync", "json", 100.0, trials=1), trials("async", "json", 200.0, trials=1)),
        50,
    )
    assert found == ()
    assert effects((), 50) == ()


def test_workers_servers_and_pythons_are_compared_with_the_first_listed() -> None:
    """Over all cells; apart for each experiment where they disagree."""
    cells = [
        trials("sync", io, rate, workers=workers)
        for io, one, two in (("http", 40.0, 80.0), ("json", 700.0, 750.0))
        for workers, rate in ((1, one), (2, two))
    ]
    effect = only(effects(table(*cells), 50), "2", None)
    assert effect.axis == "workers"
    told = sentence(effect)
    assert told.startswith("2 workers against 1 worker: with http 2.00× (")
    assert "; with json 1.07× (" in told


def test_many_answers_are_held_to_more() -> None:
    """Of forty that are none, at 5 % two would be called different."""
    lots = [
        trials("sync", f"io{n}", 100.0, server=server) for n in range(40) for server in ("uvicorn",)
    ]
    awaited = [trials("async", f"io{n}", 100.0 * 1.071) for n in range(40)]
    alone = effects(table(lots[0], awaited[0]), 50)
    together = effects(table(*lots, *awaited), 50)
    assert len(together) == 40
    assert {e.parts[0].outcome for e in alone} | {e.parts[0].outcome for e in together} <= {
        Outcome.DIFFERENT,
        Outcome.UNKNOWN,
    }


def records(deviation: float, ratio: float) -> tuple[list[str], list[TrialRecord]]:
    """Two cells that an answer is made of."""
    noise = tuple(1 + deviation * factor for factor in (-1, 1, 0, -0.5, 0.5, 0))
    found = [
        *trials("sync", "json", 100.0, noise=noise),
        *trials("async", "json", 100.0 * ratio, noise=noise),
    ]
    return list(dict.fromkeys(one.cell for one in found)), found


def test_an_answer_is_open_while_its_interval_is_wider_than_no_effect() -> None:
    """By its width alone: whatever the ratio is."""
    for ratio in (0.5, 1.0, 1.06, 3.0):
        cells, wide = records(0.06, ratio)
        assert set(open_cells(cells, wide, 0.1, 2)) == set(cells)
        cells, narrow = records(0.01, ratio)
        assert open_cells(cells, narrow, 0.1, 2) == ()


def test_an_interval_holds_what_the_trials_say() -> None:
    """The same trials scaled by anything give the same widths."""
    base = effects(table(trials("sync", "json", 100.0), trials("async", "json", 130.0)), 50)
    scaled = effects(table(trials("sync", "json", 7.0), trials("async", "json", 9.1)), 50)
    (one,), (other,) = (only(found, "async", "json").parts for found in (base, scaled))
    assert (one.ratio, one.low, one.high) == pytest.approx((other.ratio, other.low, other.high))


def test_an_answer_all_of_whose_pairs_are_unstable_is_not_left_out_in_silence() -> None:
    """It says why there is none."""
    regimes = (35 / 99, 1.0, 35.3 / 99, 1.01, 34.8 / 99, 0.99)
    found = effects(
        table(
            trials("sync", "http_pooled", 40.0),
            trials("async", "http_pooled", 99.0, noise=regimes),
        ),
        50,
    )
    effect = only(found, "async", "http_pooled")
    assert (effect.parts, effect.unstable) == ((), 1)
    assert sentence(effect) == (
        "`async def` against `def` with http_pooled at 50 users: no answer; 1 pair left out: one of"
        " the two cells has two regimes"
    )


def test_more_time_is_never_less_than_none() -> None:
    """Also where only the correction for many answers stands against an answer."""
    cells = [trials("sync", f"io{n}", 100.0) for n in range(30)]
    cells += [trials("async", f"io{n}", 100.0 * (1.0 + n / 200)) for n in range(30)]
    for effect in effects(table(*cells), 50):
        assert all(part.more_s is None or part.more_s > 0 for part in effect.parts)
