"""Where the users are: every moment, each of them is in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.digest import integrals
from bench.digest.open_load import in_flight, population
from bench.digest.signals import pool_size
from bench.records.model import Places

if TYPE_CHECKING:
    from bench.digest.raw import Raw


def places(raw: Raw) -> Places:
    """The average number of users in each place, with throughput's own weight.

    Each party tells how many it has, and a place is the difference of two that follow each
    other: the places add up to all users whatever the parties say, and a contradiction shows
    as a place with less than nobody in it. Divided by the throughput a place is the mean time
    that a request spends there (Little's law).
    """
    users, sent = population(raw), in_flight(raw)
    looks = raw.samples
    inside = integrals.inside(looks, integrals.workers(looks))
    if inside is None:
        return Places(generator=users - sent)
    way = sent - inside
    queued = integrals.queued(looks, integrals.workers(looks))
    before = integrals.before(looks, raw.handlers)
    if before is None or queued is None:
        if raw.facts.own and queued is not None and pool_size(looks):
            return Places(
                generator=users - sent, way=way, thread_queue=queued, inside=inside - queued
            )
        return Places(generator=users - sent, way=way, inside=inside)
    running = sum(log.running_avg for log in raw.handlers)
    upstream = integrals.upstream(looks) if raw.facts.upstream_calls else 0.0
    # A `def` handler waits for its thread before it begins; what an `async def` one
    # waits for is its own call of the pool.
    queued_before, queued_within = (queued, 0.0) if raw.facts.threaded else (0.0, queued)
    return Places(
        generator=users - sent,
        way=way,
        thread_queue=queued,
        before=before - queued_before,
        upstream=upstream,
        handler=running - queued_within - (upstream or 0.0),
        after=inside - before - running,
    )
