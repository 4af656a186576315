"""What each party counted over the whole trial, to be held against one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.probe import layout
from bench.records.model import Counters

if TYPE_CHECKING:
    from bench.digest.raw import Raw


def counters(raw: Raw) -> Counters:
    """The counts of generator, application, thread log and delay server."""
    upstream, logs = raw.facts.upstream_after, raw.handlers
    told = raw.generated.told
    counted = None if told is None or raw.facts.theirs else told.locust.get("requests")
    return Counters(
        generator_started=raw.generator.started if told is None else told.started,
        generator_recorded=raw.requests.count,
        app_started=_grown(raw, layout.G_STARTED),
        app_finished=_grown(raw, layout.G_FINISHED),
        handlers_begun=sum(log.begun for log in logs) if logs else None,
        handlers_ended=sum(log.ended for log in logs) if logs else None,
        log_lost=_grown(raw, layout.G_LOG_LOST),
        upstream_calls=raw.facts.upstream_calls,
        upstream_started=None if upstream is None else upstream.started,
        upstream_served=None if upstream is None else upstream.served,
        upstream_cancelled=None if upstream is None else upstream.cancelled,
        generator_counted=None if counted is None else round(counted),
        handlers_seen=not raw.facts.own,
    )


def _grown(raw: Raw, word: int) -> int | None:
    """By how much a word of the gauge pages grew since the gate opened, over all workers."""
    before, after = raw.facts.gauges_before, raw.facts.gauges_after
    if not after:
        return None
    return sum(page[word] - (before[pid][word] if pid in before else 0)
               for pid, page in after.items())  # fmt: skip
