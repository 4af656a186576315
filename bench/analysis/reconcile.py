"""Whether the counters reconcile: generator, application, thread log and delay server.

All count the same requests. They may differ only by what was in flight when the load stopped, and
by requests that never reached the application (a connection refused, say).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.reason import Kind, Reason

if TYPE_CHECKING:
    from bench.records.model import Measured


def disagreements(measured: Measured) -> tuple[Reason, ...]:
    """Where the counters don't reconcile; empty when all do."""
    return (*_generator(measured), *_application(measured), *_upstream(measured))


def _generator(measured: Measured) -> list[Reason]:
    requests, counted = measured.requests, measured.counters
    parts = (requests.succeeded, requests.failed, requests.unfinished)
    started, recorded = counted.generator_started, counted.generator_recorded
    faults = []
    if not requests.started == sum(parts) == started == recorded:
        faults.append(Reason(Kind.REQUESTS_NOT_RECORDED, (started, recorded, *parts)))
    ended = requests.succeeded + requests.failed
    if counted.generator_counted not in {None, ended}:
        faults.append(Reason(Kind.MASTER_DISAGREES, (counted.generator_counted or 0, ended)))
    return faults


def _application(measured: Measured) -> list[Reason]:
    """From the generator's successes to the application's requests and the thread log."""
    requests, counted = measured.requests, measured.counters
    if counted.app_started is None or counted.app_finished is None:
        return []  # the probe was off
    faults = []
    # Users of a locustfile follow redirects: then the application has more requests than they told.
    most = counted.app_started if measured.load.theirs else requests.started
    if not requests.succeeded <= counted.app_finished <= counted.app_started <= most:
        figures = (requests.started, requests.succeeded, counted.app_started, counted.app_finished)
        faults.append(Reason(Kind.APPLICATION_DISAGREES, figures))
    begun, ended, lost = counted.handlers_begun, counted.handlers_ended, counted.log_lost or 0
    if begun is not None and ended is not None:
        if not requests.succeeded <= ended + lost:
            faults.append(Reason(Kind.FEWER_CALLS_ENDED, (requests.succeeded, ended)))
        if not begun + lost <= counted.app_started:
            faults.append(Reason(Kind.MORE_CALLS_BEGUN, (counted.app_started, begun)))
    elif counted.app_started and counted.handlers_seen:
        faults.append(Reason(Kind.THREAD_LOG_MISSING))
    if lost:
        faults.append(Reason(Kind.THREAD_LOG_FULL, (lost,)))
    return faults


def _upstream(measured: Measured) -> list[Reason]:
    """What the delay server was asked, against what the handlers must have asked."""
    counted, calls = measured.counters, measured.counters.upstream_calls
    if not calls:
        return []
    if counted.upstream_started is None or counted.upstream_served is None:
        return [Reason(Kind.DELAY_SERVER_SILENT)]
    faults = []
    # A call that the log had no room for may have asked all the same; without
    # the log, no more can have asked than requests were made.
    made = measured.requests.started
    if counted.handlers_begun is not None:
        made = counted.handlers_begun + (counted.log_lost or 0)
    if counted.upstream_started > made * calls:
        faults.append(Reason(Kind.DELAY_SERVER_ASKED_MORE, (made, counted.upstream_started)))
    succeeded = measured.requests.succeeded
    if counted.upstream_served < succeeded * calls:
        faults.append(Reason(Kind.DELAY_SERVER_GAVE_LESS, (succeeded, counted.upstream_served)))
    return faults
