"""Reasons as sentences; those of several trials that differ in their figures alone as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.analysis.reason import Kind, Reason
from bench.text import milliseconds, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.analysis.fitness import Judged
    from bench.analysis.verdict import Verdict


def sentences(verdict: Verdict) -> list[str]:
    """Every reason once, with the range of its figures and the trials that it holds for."""
    return _each(verdict.reasons, verdict.trials)


def remarks(verdict: Verdict) -> list[str]:
    """What else is to be known of the row, and which trials were set aside for what."""
    told = _each(verdict.remarks, verdict.trials)
    if verdict.aside:
        trials = "1 trial was" if verdict.aside == 1 else f"{verdict.aside} trials were"
        told.append(f"{trials} set aside: {'; '.join(_each(verdict.set_aside, verdict.aside))}")
    return told


def of_trial(judged: Judged) -> list[str]:
    """Why one trial isn't clean, and what stays doubtful of it."""
    return [sentence([reason]) for reason in (*judged.reasons, *judged.doubts)]


def _each(reasons: Sequence[Reason], trials: int) -> list[str]:
    alike: dict[tuple[Kind, tuple[str, ...]], list[Reason]] = {}
    for reason in reasons:
        alike.setdefault((reason.kind, reason.words), []).append(reason)
    return [
        f"{sentence(same)}{_times(len(same), trials) if same[0].kind in OF_A_TRIAL else ''}"
        for same in alike.values()
    ]


def sentence(reasons: Sequence[Reason]) -> str:
    """One sentence for reasons of the same kind and words."""
    template, shows = TEMPLATES[reasons[0].kind]
    columns = zip(*(reason.figures for reason in reasons), strict=True)
    figures = [_range(column, show) for column, show in zip(columns, shows, strict=True)]
    return template.format(*figures, words=reasons[0].words)


def _range(values: Sequence[float], show: Callable[[float], str]) -> str:
    low, high = show(min(values)), show(max(values))
    return low if low == high else f"{low} to {high}"


def _times(count: int, trials: int) -> str:
    return "" if count == trials else f" ({count} of {trials} trials)"


def _share(value: float) -> str:
    return f"{value:.0%}"


def _fine_share(value: float) -> str:
    return f"{value:.2%}"


def _seconds(value: float) -> str:
    return f"{value:.3g}"


def _count(value: float) -> str:
    return f"{value:.0f}"


def _cores(value: float) -> str:
    return f"{value:.2f}"


_ms = milliseconds

OF_A_ROW = {
    Kind.MACHINE_SPEED,
    Kind.TWO_REGIMES,
    Kind.FALLS_APART,
    Kind.ODD_TRIAL,
    Kind.ONE_TRIAL,
    Kind.NOTHING_COMPLETED,
    Kind.IMPRECISE,
    Kind.SWINGS,
}
OF_A_TRIAL = set(Kind) - OF_A_ROW

# What is said, with how each figure is shown.
TEMPLATES: Final[dict[Kind, tuple[str, tuple[Callable[[float], str], ...]]]] = {
    Kind.NOT_MEASURED: ("{words[0]}", ()),
    Kind.ALL_FAILED: ("all requests failed, {0} of them by: {words[0]}", (_count,)),
    Kind.GENERATOR_BOUND: (
        "the load generator used {0} of its 1 core (allowed in all: {1})", (_cores, _share),
    ),
    Kind.GENERATOR_STARVED: (
        "the load generator used {0} of its 1 core and waited for it {1} of the time (allowed in"
        " all: {2})", (_cores, _share, _share),
    ),
    Kind.GENERATOR_WAITED: (
        "the load generator waited for a core {0} of the time (allowed in all: {1})",
        (_share, _share),
    ),
    Kind.GENERATORS_BOUND: (
        "the busiest of {0} load generator processes used {1} of its 1 core and waited for it {2}"
        " of the time (allowed in all: {3})", (_count, _cores, _share, _share),
    ),
    Kind.WORKERS_CHANGED: (
        "the workers changed during the load: of {0} at its start {1} ended, and {2} came up anew",
        (_count,) * 3,
    ),
    Kind.REDIRECTS: ("redirects among the answers: {0}", (_count,)),
    Kind.DELAY_SERVER_ENDED: (
        "the delay server ended during the trial, with exit status {words[0]}; it is started again"
        " for the next", (),
    ),
    Kind.DELAY_SERVER_LATE: ("the delay server was late: p99 overshoot {0}", (_ms,)),
    Kind.REQUESTS_NOT_RECORDED: (
        "the generator started {0} requests and recorded {1}: {2} succeeded, {3} failed, {4}"
        " unfinished", (_count,) * 5,
    ),
    Kind.ARRIVALS_LATE: (
        "the load generator sent requests late, which is {0} of a p99 of {1} (allowed: 5% of it):"
        " it was the bound", (_ms, _ms),
    ),
    Kind.ARRIVALS_BEHIND: (
        "of {0} requests that were due in the window the load generator had not sent {1} at its end"
        " (allowed: 1%): it was the bound", (_count,) * 2,
    ),
    Kind.MASTER_DISAGREES: (
        "locust's master counted {0} requests that ended, its processes recorded {1}",
        (_count,) * 2,
    ),
    Kind.CLOCKS_APART: (
        "the clocks of the load machines are known to {0} only, in a window of {1} s (allowed:"
        " {2} of it)", (_ms, _seconds, _share),
    ),
    Kind.CLOCK_RATE: (
        "a load machine's clock runs {0} fast or slow, and so would be every latency (allowed:"
        " {1})",
        (_fine_share, _fine_share),
    ),
    Kind.APPLICATION_DISAGREES: (
        "the generator started {0} and got {1} good answers; the application began {2} and ended"
        " {3}", (_count,) * 4,
    ),
    Kind.FEWER_CALLS_ENDED: (
        "{0} good answers, {1} ended calls in the thread log", (_count,) * 2,
    ),
    Kind.MORE_CALLS_BEGUN: ("{0} requests began, {1} calls in the thread log", (_count,) * 2),
    Kind.THREAD_LOG_MISSING: ("the thread log is missing", ()),
    Kind.THREAD_LOG_FULL: ("the thread log had no room for {0} calls", (_count,)),
    Kind.DELAY_SERVER_SILENT: ("the delay server gave no counts", ()),
    Kind.DELAY_SERVER_ASKED_MORE: (
        "{0} handler calls, but the delay server was asked {1} times", (_count,) * 2,
    ),
    Kind.DELAY_SERVER_GAVE_LESS: (
        "{0} good answers, but the delay server gave only {1}", (_count,) * 2,
    ),
    Kind.TWO_REGIMES: (
        "two regimes: {0} requests/s ({2} of its trials) and {1} ({3}); by chance of the start, so"
        " no mean is made of them", (number, number, _count, _count),
    ),
    Kind.FALLS_APART: (
        "its trials fall apart: {0} requests/s ({2}) and {1} ({3}); two regimes, or one trial that"
        " something disturbed: {4} more would tell", (number, number, _count, _count, _count),
    ),
    Kind.ODD_TRIAL: (
        "one of its {0} trials lies over 1.3× from the others: {1} more would tell whether it has"
        " two regimes", (_count, _count),
    ),
    Kind.ONE_TRIAL: ("one trial alone counts: how far another would differ isn't known", ()),
    Kind.NOTHING_COMPLETED: ("nothing was completed in some window, so there is no interval", ()),
    Kind.IMPRECISE: ("known to ± {0} (asked for: {1})", (_share, _share)),
    Kind.SWINGS: (
        "its rate swings more slowly than its window is long: {0} requests/s weighted, {1} counted",
        (number, number),
    ),
    Kind.SWUNG: ("its rate swung more slowly than its window, so a longer one was made", ()),
    Kind.OLDER_THAN_WINDOW: (
        "a request had waited for {0} when the window ended, longer than it", (_ms,),
    ),
    Kind.UNEVEN_CPU: (
        "its CPU work was uneven in the window: {0} cores weighted as throughput is, {1} without",
        (_cores, _cores),
    ),
    Kind.NO_NODELAY: (
        "{0} of {1} connections lack TCP_NODELAY: an answer sent in two parts may wait 40 ms for"
        " the first one's acknowledgement", (_count, _count),
    ),
    Kind.MACHINE_SPEED: (
        "the machine's speed went up and down: what its trials read was corrected to the usual"
        " speed, by {0} to {1} ×", (_cores, _cores),
    ),
    Kind.PLACES_WRONG: (
        "the users' places are wrong, as fewer than none are counted here: {words[0]}; please"
        " report this", (),
    ),
    Kind.UNKNOWN_SIGNALS: (
        "not known, so not judged by: {words[0]}", (),
    ),
    Kind.FEW_COMPLETIONS: ("only {0} completions in the window", (_count,)),
    Kind.FEW_ROUNDS: (
        "its users went round only {0} times in the window: it may show a phase of the start",
        (number,),
    ),
    Kind.LITTLE_DISAGREES: (
        "what finished took {0} on average, users / throughput is {1}: the warm-up was too short,"
        " or some users starve", (_ms, _ms),
    ),
    Kind.WRONG_BODIES: (
        "{0} of {1} answers had another body than the verifying request's: the work measured may"
        " not be the work asked for", (_count,) * 2,
    ),
    Kind.GENERATOR_LATE: (
        "the load generator's own timer was {0} late (p99), which its latencies contain", (_ms,),
    ),
    Kind.LEAK: (
        "the application's threads grew from {0} to {1} throughout the window, which its pools"
        " (up to {2}) don't explain: it leaks them, so its figures depend on when one looks",
        (_count,) * 3,
    ),
    Kind.QUOTA: ("a CPU quota stopped processes for {0} of the window", (_ms,)),
    Kind.HEAT: ("thermal throttling: the CPU slowed itself down {0} times", (_count,)),
    Kind.STEAL: ("the hypervisor took {0} of the {1} cores (steal)", (_share, _count)),
    Kind.FOREIGN: ("other programs took {0} of the {1} cores", (_share, _count)),
    Kind.STEAL_AT_SERVER: (
        "the hypervisor took {0} of the server's own cores ({1}; steal)", (_share, number),
    ),
    Kind.FOREIGN_AT_SERVER: (
        "other programs took {0} of the server's own cores ({1})", (_share, number),
    ),
}  # fmt: skip
