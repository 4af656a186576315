"""reports/latest.json: the interface for programs (docs/latest-json.md)."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, fields
from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

from bench.records.model import Places
from bench.report import ladder, whys
from bench.report.answers import sentence
from bench.report.headlines import headlines
from bench.report.reasons import remarks, sentences

if TYPE_CHECKING:
    from bench.analysis.drift import Drift
    from bench.analysis.effects import Effect
    from bench.analysis.hosts import Hosts
    from bench.analysis.kinds import Kind
    from bench.analysis.noise import Noise
    from bench.analysis.results import Results
    from bench.analysis.rows import Arrivals, Row
    from bench.stats import Percentile

SCHEMA = 2
DIGITS = 6  # significant ones; more would only be noise


def document(results: Results) -> str:
    """The run and its rows as JSON."""
    return json.dumps(content(results), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def content(results: Results) -> dict[str, Any]:
    """What the document holds."""
    run = results.run
    return {
        "schema": SCHEMA,
        "run": {
            "id": run.id,
            "started": run.started,
            "finished": run.finished,
            "profile": asdict(run.profile),
            "seed": run.seed,
            "settings": dict(run.settings),
            "varied": [*run.varied],
            "git": dict(run.git),
            "resumed": [asdict(step) for step in run.resumed],
        },
        "host": asdict(run.host),
        "hosts": None if results.hosts is None else _hosts(results.hosts),
        "environments": dict(run.environments),
        "rows": [_row(row) for row in results.rows],
        "answers": [
            {"question": question, "answer": answer}
            for question, answer in headlines(results.effects)
        ],
        "effects": [_effect(effect) for effect in results.effects],
        "ladders": [ladder.document(one) for one in results.ladders],
        "noise": _noise(results.noise),
        "controls": None if results.drift is None else _drift(results.drift),
        "damage": [asdict(damage) for damage in results.damage],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "cell": row.cell,
        "experiment": row.experiment,
        "endpoint": row.endpoint,
        "io": row.io,
        "server": row.server,
        "workers": row.workers,
        "python": row.python,
        "host": row.host,
        "settings": dict(row.settings),
        "verdict": row.verdict.word.value,
        "reasons": sentences(row.verdict),
        "remarks": remarks(row.verdict),
        "trials": row.trials,
        "requests": row.requests,
        "failures": row.failures,
        "failure_kinds": dict(row.failure_kinds),
        "unfinished": _short(row.unfinished),
        "throughput_rps": _throughput(row),
        "arrivals": None if row.arrivals is None else _arrivals(row.arrivals),
        "latency_ms": {
            "p50": _short(row.p50.value_ms),
            "p90": _short(row.p90.value_ms),
            "p99": _short(row.p99.value_ms),
            "mean_by_little": _short(row.mean_by_little_ms),
        },
        "latency_over_ms": {
            name: _short(found.over_ms)
            for name, found in _percentiles(row)
            if found.value_ms is None
        },
        "latency_low_ms": {name: _short(found.low_ms) for name, found in _percentiles(row)},
        "latency_high_ms": {name: _short(found.high_ms) for name, found in _percentiles(row)},
        "latency_withheld": _withheld(row),
        "threads_spawned": _short(row.threads_spawned),
        "threads_active_avg": _short(row.threads_active_avg),
        "cpu_ms_per_request": _short(row.cpu_ms_per_request),
        "rss_mb": _short(row.rss_mb),
        "loop_delay_ms": {
            "p50": _short(row.loop_delay_p50_ms),
            "max": _short(row.loop_delay_max_ms),
            "max_is_bound": row.loop_delay_open,
        },
        "pool": {
            "size": _short(row.pool_size),
            "busy_avg": _short(row.pool_busy_avg),
            "waiting_avg": _short(row.pool_waiting_avg),
        },
        "upstream_in_flight_avg": _short(row.upstream_in_flight_avg),
        "background": {
            "server_cores": _short(row.background.server_cores),
            "worker_shares": [_short(share) for share in row.background.worker_shares],
            "generator": {
                "processes": list(row.background.generators),
                "cores": _short(row.background.generator_cores),
                "waited": _short(row.background.generator_waited),
                "late_p99_ms": _short(row.background.generator_late_p99_ms),
            },
            "delay_server": {
                "cores": _short(row.background.delay_server_cores),
                "overshoot_p99_ms": _short(row.background.overshoot_p99_ms),
                "in_flight_peak": _short(row.background.in_flight_peak),
            },
            "database": {"cores": _short(row.background.database_cores)},
        },
        "served": _served(row),
        "limit_rps": _short(row.limit_rps),
        "share_of_limit": _short(row.share_of_limit),
        "users_at": _users_at(row),
        "why": whys.of_row(row),
        "profile": row.profile if row.verdict.usable else None,
        "samples": [
            {
                "round": sample.round,
                "throughput_rps": _short(sample.throughput_rps),
                "p50_ms": _short(sample.p50_ms),
                "cpu_ms_per_request": _short(sample.cpu_ms_per_request),
                "handler_min_ms": _short(sample.handler_min_ms),
                "corrected": _short(sample.corrected),
            }
            for sample in row.samples
        ],
        "kinds": [_kind(kind) for kind in row.kinds],
    }


def _kind(kind: Kind) -> dict[str, Any]:
    """Of a mix of requests: each by itself."""
    levels = (("p50", kind.p50), ("p90", kind.p90), ("p99", kind.p99))
    return {
        "name": kind.name,
        "requests": kind.requests,
        "failures": kind.failures,
        "throughput_rps": _short(kind.throughput_rps),
        "users": _short(kind.users),
        "latency_ms": {name: _short(found.value_ms) for name, found in levels},
        "latency_low_ms": {name: _short(found.low_ms) for name, found in levels},
        "latency_high_ms": {name: _short(found.high_ms) for name, found in levels},
        "latency_over_ms": {
            name: _short(found.over_ms) for name, found in levels if found.value_ms is None
        },
    }


def _users_at(row: Row) -> dict[str, Any]:
    """By place; a place that comes out a little below nobody is empty."""
    found = asdict(row.places) if row.places is not None else {}
    names = [field.name for field in fields(Places)]
    return {
        name: None if (users := found.get(name)) is None else _short(max(0.0, users))
        for name in names
    }


def _served(row: Row) -> dict[str, Any] | None:
    found = row.fairness
    if found is None:
        return None
    return {
        "loop": found.loop,
        "http": found.http,
        "connections": found.connections,
        "nodelay": found.nodelay,
        "backlog": found.backlog,
        "open_files": found.open_files,
        "log_bytes_per_request": _short(found.log_bytes_per_request),
        "command": shlex.join(found.argv),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "axis": effect.axis,
        "level": effect.level,
        "base": effect.base,
        "of": effect.of,
        "parts": [
            {
                "where": dict(part.where),
                "ratio": _short(part.ratio),
                "low": _short(part.low),
                "high": _short(part.high),
                "pairs": part.pairs,
                "outcome": part.outcome.value,
                "more_s": _short(part.more_s),
                "turns": None if part.turns is None else [*part.turns],
            }
            for part in effect.parts
        ],
        "unstable_pairs": effect.unstable,
        "single_trial_pairs": effect.alone,
        "vague_pairs": effect.vague,
        "sentence": sentence(effect),
    }


def _hosts(found: Hosts) -> dict[str, Any]:
    return {
        "machines": [
            {"run": one.run, "shard": one.shard, "host": asdict(one.host)} for one in found.hosts
        ],
        "of": found.of,
        "missing": list(found.missing),
        "references": [
            {
                "cell": one.cell,
                "throughput_rps": [_short(rate) for rate in one.throughput_rps],
                "spread": _short(one.spread),
            }
            for one in found.references
        ],
    }


def _arrivals(found: Arrivals) -> dict[str, Any]:
    return {
        "rate": _short(found.rate),
        "late_p99_ms": _short(found.late_p99_ms),
        "in_system_avg": _short(found.in_system_avg),
    }


def _noise(noise: Noise | None) -> dict[str, Any] | None:
    if noise is None:
        return None
    ratios = {
        metric.name: {
            "ratio": _short(ratio.ratio),
            "low": _short(ratio.low),
            "high": _short(ratio.high),
            "pairs": ratio.n,
        }
        for metric, ratio in noise.ratios
    }
    return {"cell": noise.cell, "ratios": ratios}


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "ceiling_rps": {"start": _short(drift.ceiling_rps), "end": _short(drift.ceiling_end_rps)},
        "ceilings_rps": {str(of): _short(rate) for of, rate in drift.ceilings.items()},
        "added_ms": {"start": _short(drift.added_ms), "end": _short(drift.added_end_ms)},
        "failures": list(drift.failures),
    }


def _throughput(row: Row) -> dict[str, Any]:
    found, regimes = row.throughput_rps, row.regimes
    return {
        "value": None if found is None else _short(found.value),
        "low": None if found is None else _short(found.low),
        "high": None if found is None else _short(found.high),
        "regimes": [] if regimes is None else [
            {"value": _short(geometric_mean(part)), "trials": len(part)}
            for part in (regimes.low, regimes.high)
        ],
        "trial_deviation": None if row.spread is None else _short(row.spread.deviation),
    }  # fmt: skip


def _withheld(row: Row) -> dict[str, str]:
    return {
        name: found.reason
        for name, found in _percentiles(row)
        if found.value_ms is None and found.reason
    }


def _percentiles(row: Row) -> tuple[tuple[str, Percentile], ...]:
    return (("p50", row.p50), ("p90", row.p90), ("p99", row.p99))


def _short(value: float | None) -> float | int | None:
    if value is None:
        return None
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded
