"""A control's folder in, its record out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.digest import read, signals
from bench.digest.generators import generated
from bench.digest.read import Unreadable
from bench.records.model import SCHEMA, ControlRecord
from bench.stats import hann_rate, latency
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from pathlib import Path


def digest_control(
    folder: Path,
    *,
    run: str,
    when: Literal["start", "end"],
    wait_ms: int,
    users: int,
    generators: int = 1,
) -> ControlRecord:
    """One control, of so many processes of the generator; what went wrong is its reason."""
    failed = partial(ControlRecord, SCHEMA, run, when, wait_ms, users, generators=generators)
    try:
        facts = read.trial_facts(folder)
        if facts.failure is not None:
            return failed(facts.failure)
        if not 0 < facts.t0_ns < facts.t1_ns:
            return failed("the generator never said that all users had spawned")
        return _measured(folder, facts.t0_ns, facts.t1_ns, failed(None))
    except Unreadable as damage:
        return failed(str(damage))


def _measured(folder: Path, t0_ns: int, t1_ns: int, record: ControlRecord) -> ControlRecord:
    log = generated(folder).requests.whole()
    succeeded = log.outcome == request_layout.SUCCEEDED
    failed = int(np.count_nonzero(log.outcome >= request_layout.FIRST_FAILURE))
    if failed:
        raise Unreadable(f"{failed} requests at the delay server failed")
    end_ns = np.where(log.outcome == request_layout.UNFINISHED, -1, log.end_ns)
    found = latency(log.start_ns, end_ns, succeeded, t0_ns, t1_ns)
    looks = signals.samples_of(read.looks(folder), t0_ns, t1_ns)
    return ControlRecord(
        schema=record.schema,
        run=record.run,
        when=record.when,
        wait_ms=record.wait_ms,
        users=record.users,
        reason=None,
        throughput_rps=hann_rate(log.end_ns[succeeded], t0_ns, t1_ns),
        p50_ms=found.p50.value_ms,
        generator_cores=signals.group_cores(looks, "generator"),
        delay_server_cores=signals.group_cores(looks, "delay"),
        generators=record.generators,
    )
