"""The books: generator, application, thread log and delay server count the same requests.

They may differ only by what was in flight when the load stopped, and by
requests that never reached the application (a connection refused, say).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.records.model import Measured


def imbalance(measured: Measured) -> tuple[str, ...]:
    """What doesn't add up; empty when all does."""
    return (*_generator(measured), *_application(measured), *_upstream(measured))


def _generator(measured: Measured) -> list[str]:
    requests, books = measured.requests, measured.counters
    parts = requests.succeeded + requests.failed + requests.unfinished
    if not requests.started == parts == books.generator_started == books.generator_recorded:
        return [
            (
                f"the generator started {books.generator_started} requests and recorded"
                f" {books.generator_recorded}: {requests.succeeded} succeeded, {requests.failed}"
                f" failed, {requests.unfinished} unfinished"
            )
        ]
    return []


def _application(measured: Measured) -> list[str]:
    """From the generator's successes to the application's requests and the thread log."""
    requests, books = measured.requests, measured.counters
    if books.app_started is None or books.app_finished is None:
        return []  # the probe was off
    faults = []
    if not requests.succeeded <= books.app_finished <= books.app_started <= requests.started:
        faults.append(
            f"the generator started {requests.started} and got {requests.succeeded} good answers;"
            f" the application began {books.app_started} and ended {books.app_finished}"
        )
    begun, ended, lost = books.handlers_begun, books.handlers_ended, books.log_lost or 0
    if begun is not None and ended is not None:
        if not requests.succeeded <= ended + lost:
            faults.append(
                f"{requests.succeeded} good answers, {ended} ended calls in the thread log"
            )
        if not begun + lost <= books.app_started:
            faults.append(f"{books.app_started} requests began, {begun} calls in the thread log")
    elif books.app_started:
        faults.append("the thread log is missing")
    if lost:
        faults.append(f"the thread log had no room for {lost} calls")
    return faults


def _upstream(measured: Measured) -> list[str]:
    """What the delay server was asked, against what the handlers must have asked."""
    books, calls = measured.counters, measured.counters.upstream_calls
    if not calls:
        return []
    if books.upstream_started is None or books.upstream_served is None:
        return ["the delay server gave no counts"]
    faults = []
    # A call that the log had no room for may have asked all the same; without
    # the log, no more can have asked than requests were made.
    made = measured.requests.started
    if books.handlers_begun is not None:
        made = books.handlers_begun + (books.log_lost or 0)
    if books.upstream_started > made * calls:
        faults.append(
            f"{made} handler calls, but the delay server was asked {books.upstream_started} times"
        )
    if books.upstream_served < measured.requests.succeeded * calls:
        faults.append(
            f"{measured.requests.succeeded} good answers, but the delay server gave only"
            f" {books.upstream_served}"
        )
    return faults
