"""Counters that reconcile, what may differ, and each way not to."""

from __future__ import annotations

from typing import Any

import pytest

from bench.analysis.reconcile import disagreements
from bench.report.reasons import sentence
from tests.support.records import measured

# 460 started: 360 good, 100 cut off at the stop. The builder's counters, in words:
# the app began 460 and ended 400; handlers began 440 and ended 400, each asked upstream once.


def faults(**figures: Any) -> tuple[str, ...]:
    """What does not reconcile."""
    return tuple(sentence([reason]) for reason in disagreements(measured(**figures)))


def test_counters_that_reconcile() -> None:
    """Differing by what was in flight, at each of the three."""
    assert faults() == ()


EVEN = dict.fromkeys(
    (
        *("started", "succeeded", "app_started", "app_finished"),
        *("handlers_begun", "handlers_ended", "upstream_started", "upstream_served"),
    ),
    460,
) | {"unfinished": 0}
OFF = dict.fromkeys(("app_started", "app_finished", "handlers_begun", "handlers_ended", "log_lost"))


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param(EVEN, id="nothing was in flight"),
        pytest.param({"app_finished": 460, "handlers_ended": 440}, id="answered, not yet received"),
        pytest.param({"app_started": 440}, id="asked, not yet received by the app"),
        pytest.param({"handlers_begun": 400, "upstream_started": 400}, id="waiting for a thread"),
        pytest.param({"upstream_started": 400}, id="begun, not yet asked upstream"),
        pytest.param(
            {"upstream_served": 440, "upstream_cancelled": 0}, id="upstream answered all of them"
        ),
        pytest.param(
            {"succeeded": 350, "failed": 10, "app_started": 450},
            id="refused, never reached the app",
        ),
        pytest.param(
            {"upstream_calls": 0, "upstream_started": 0, "upstream_served": 0}, id="a file"
        ),
        pytest.param(
            {"upstream_calls": 0, "upstream_started": None, "upstream_served": None},
            id="a file, and no counts",
        ),
        pytest.param(
            {"upstream_calls": 2, "upstream_started": 880, "upstream_served": 800},
            id="two calls a request",
        ),
        pytest.param(OFF, id="the probe was off"),
        pytest.param({"log_lost": None}, id="no count of lost records"),
    ],
)
def test_allowed_differences(figures: dict[str, Any]) -> None:
    """In flight somewhere, or never arrived."""
    assert faults(**figures) == ()


GENERATOR = (
    "the generator started {} requests and recorded {}: {} succeeded, {} failed, {} unfinished"
)


@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        ({"generator_started": 461}, GENERATOR.format(461, 460, 360, 0, 100)),
        ({"generator_recorded": 459}, GENERATOR.format(460, 459, 360, 0, 100)),
        ({"started": 461}, GENERATOR.format(460, 460, 360, 0, 100)),
        ({"unfinished": 99}, GENERATOR.format(460, 460, 360, 0, 99)),
        ({"failed": 1}, GENERATOR.format(460, 460, 360, 1, 100)),
        (
            {"app_finished": 359, "handlers_ended": 400},
            (
                "the generator started 460 and got 360 good answers; the application began 460 and"
                " ended 359"
            ),
        ),
        (
            {"app_finished": 461},
            (
                "the generator started 460 and got 360 good answers; the application began 460 and"
                " ended 461"
            ),
        ),
        (
            {"app_started": 461},
            (
                "the generator started 460 and got 360 good answers; the application began 461 and"
                " ended 400"
            ),
        ),
        ({"handlers_ended": 359}, "360 good answers, 359 ended calls in the thread log"),
        (
            {"handlers_begun": 461, "upstream_started": 461},
            "460 requests began, 461 calls in the thread log",
        ),
        ({"log_lost": 7}, "the thread log had no room for 7 calls"),
        ({"handlers_begun": None}, "the thread log is missing"),
        ({"handlers_ended": None}, "the thread log is missing"),
        ({"upstream_started": None}, "the delay server gave no counts"),
        ({"upstream_served": None}, "the delay server gave no counts"),
        (
            {"upstream_started": 441},
            "440 handler calls, but the delay server was asked 441 times",
        ),
        (
            {"upstream_calls": 2, "upstream_started": 881, "upstream_served": 800},
            "440 handler calls, but the delay server was asked 881 times",
        ),
        (
            {"upstream_served": 359},
            "360 good answers, but the delay server gave only 359",
        ),
        (
            {"upstream_calls": 2, "upstream_served": 719},
            "360 good answers, but the delay server gave only 719",
        ),
    ],
)
def test_each_disagreement_is_told_with_its_figures(figures: dict[str, Any], fault: str) -> None:
    """And nothing else is."""
    assert faults(**figures) == (fault,)


def test_what_the_log_lost_is_not_counted_twice() -> None:
    """A full log is one fault, not three: the calls are known to have been."""
    found = faults(handlers_begun=340, handlers_ended=300, log_lost=100, upstream_started=340)
    assert found == ("the thread log had no room for 100 calls",)


def test_calls_that_the_log_lost_are_calls_all_the_same() -> None:
    """With them there were more than requests."""
    assert faults(handlers_begun=440, log_lost=21) == (
        "460 requests began, 440 calls in the thread log",
        "the thread log had no room for 21 calls",
    )


def test_the_delay_server_may_have_been_asked_by_calls_that_the_log_lost() -> None:
    """As above, with the upstream's own count."""
    found = faults(handlers_begun=340, handlers_ended=300, log_lost=100)
    assert found == ("the thread log had no room for 100 calls",)


def test_an_application_that_began_nothing_needs_no_thread_log() -> None:
    """All connections were refused."""
    none = ("succeeded", "unfinished", "app_started", "app_finished")
    figures: dict[str, Any] = dict.fromkeys((*none, "upstream_started", "upstream_served"), 0)
    assert faults(**figures, failed=460, handlers_begun=None, handlers_ended=None) == ()


def test_the_delay_server_is_reconciled_with_the_generator_when_the_probe_is_off() -> None:
    """Two parties still count: a good answer without a call cannot be."""
    assert faults(**OFF, upstream_served=359) == (
        "360 good answers, but the delay server gave only 359",
    )


def test_all_faults_are_told() -> None:
    """From the generator to the delay server."""
    assert len(faults(generator_started=1, app_started=461, log_lost=1, upstream_served=0)) == 4
