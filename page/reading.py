"""latest.json and latest.series.jsonl as typed values; what doesn't fit is told, not guessed."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.text import shown
from page.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCHEMA = 2
LARGEST_FLAME = 1_000_000  # bytes
UNUSABLE = frozenset({"invalid", "failed", "skipped"})  # verdicts without numbers
TRACKS = (
    "throughput_rps",
    "in_flight",
    "loop_delay_ms",
    "pool_busy",
    "pool_waiting",
    "server_cores",
)
PERCENTILES = ("p50", "p90", "p99")


@dataclass(frozen=True, slots=True)
class Latency:
    """One percentile: a value with its interval, a bound, or the reason why there is none."""

    value_ms: float | None
    low_ms: float | None
    high_ms: float | None
    over_ms: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests/s: a value with its interval, or two regimes."""

    value: float | None
    low: float | None
    high: float | None
    regimes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One cell; ``figures`` is the document's row, empty of numbers where it is not usable."""

    cell: str
    experiment: str
    endpoint: str
    io: str
    server: str
    workers: int
    python: str
    verdict: str
    reasons: tuple[str, ...]
    remarks: tuple[str, ...]
    why: str | None
    rate: Rate
    share_of_limit: float | None
    users_at: Mapping[str, float]  # places that are known
    latency: Mapping[str, Latency]
    samples: Mapping[int, float]  # throughput by round, of trials that count
    figures: Mapping[str, Any]
    settings: Mapping[str, str] = field(default_factory=dict)  # levels of further axes

    @property
    def usable(self) -> bool:
        """It has numbers that may be shown."""
        return self.verdict not in UNUSABLE


@dataclass(frozen=True, slots=True)
class Trial:
    """One measured trial over its time, in seconds since its first user began."""

    cell: str
    round: int
    index: int
    twin: bool
    t0_s: float
    t1_s: float
    t_s: tuple[float, ...]
    tracks: Mapping[str, tuple[float | None, ...]]
    latency_ms: tuple[float, ...]
    below: tuple[float, ...]
    known_to_ms: float | None
    disturbances: tuple[str, ...]
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that a page shows of a run."""

    document: Mapping[str, Any]
    rows: tuple[Row, ...]
    trials: tuple[Trial, ...]
    no_series: str | None  # why there are no trials
    sha256: str  # of the files it was read from
    flames: Mapping[str, str]  # by cell: a profile's flame graph, SVG


def read(path: Path, series: Path | None) -> Report:
    """A run's document, and its trials over time where there is a usable file of them.

    Raises:
        PageError: the document can't be read or is not of this schema.
    """
    content = _bytes(path)
    document = parse(content, path.name)
    if document.get("schema") != SCHEMA or not isinstance(document.get("rows"), list):
        raise PageError(f"{path}: it is no latest.json of schema {SCHEMA}")
    try:
        rows = tuple(_row(row) for row in document["rows"])
        _needed(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = shown(f"{type(error).__name__}: {error}", 200)
        raise PageError(f"{path}: a field is missing or of the wrong type ({what})") from error
    recorded = series.read_bytes() if series is not None and series.is_file() else b""
    trials, missing = _trials(recorded, {row.cell for row in rows})
    flames = _flames(path.parent / "profiles", document["rows"])
    return Report(document, rows, trials, missing, fingerprint(content, recorded), flames)


def _flames(folder: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Of the rows that a profile is told of; one that is lost or huge is none."""
    found = {}
    for row in rows:
        cell = str(row["cell"])
        path = folder / f"{cell}.svg"
        fits = row.get("profile") and path.parent == folder and path.is_file()
        if fits and path.stat().st_size <= LARGEST_FLAME:
            found[cell] = path.read_text(encoding="utf-8")
    return found


def fingerprint(*contents: bytes) -> str:
    """Of all files that a page is made from."""
    whole = hashlib.sha256()
    for content in contents:
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def parse(content: bytes, name: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        PageError: it is none.
    """
    try:
        found = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise PageError(f"{shown(name)}: no JSON: {shown(str(error), 200)}") from error
    if not isinstance(found, dict):
        raise PageError(f"{shown(name)}: no JSON object")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PageError(f"{path}: can't be read: {error.strerror}") from error


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _needed(document: Mapping[str, Any]) -> None:
    """What the page's head is made of."""
    for name in ("id", "started", "profile"):
        document["run"][name]
    document["run"]["profile"]["users"] + 0  # a number
    for answer in document["answers"]:
        answer["question"] + answer["answer"]  # text
    for effect in document["effects"]:
        effect["sentence"] + ""  # text
        for part in effect["parts"]:
            part["ratio"] + part["low"] + part["high"]
    dict(document["host"])
    dict(document["environments"])


def _row(raw: Mapping[str, Any]) -> Row:
    usable = raw["verdict"] not in UNUSABLE
    rate = raw["throughput_rps"] if usable else {}
    return Row(
        **{name: str(raw[name])
           for name in ("cell", "experiment", "endpoint", "io", "server", "python", "verdict")},
        workers=int(raw["workers"]),
        reasons=tuple(map(str, raw["reasons"])),
        remarks=tuple(map(str, raw["remarks"])),
        why=raw["why"] if usable and raw["why"] is not None else None,
        rate=Rate(
            _number(rate.get("value")),
            _number(rate.get("low")),
            _number(rate.get("high")),
            tuple(float(regime["value"]) for regime in rate.get("regimes", ())),
        ),
        share_of_limit=_number(raw["share_of_limit"]) if usable else None,
        users_at={
            place: users
            for place, found in (raw["users_at"] if usable else {}).items()
            if (users := _number(found)) is not None
        },
        latency={name: _latency(raw, name) for name in PERCENTILES if usable},
        samples={
            int(sample["round"]): value
            for sample in (raw["samples"] if usable else ())
            if (value := _number(sample["throughput_rps"])) is not None
        },
        figures=raw if usable else {},
        settings={str(axis): str(level) for axis, level in raw.get("settings", {}).items()},
    )  # fmt: skip


def _latency(raw: Mapping[str, Any], name: str) -> Latency:
    return Latency(
        _number(raw["latency_ms"][name]),
        _number(raw["latency_low_ms"][name]),
        _number(raw["latency_high_ms"][name]),
        _number(raw["latency_over_ms"].get(name)),
        raw["latency_withheld"].get(name),
    )


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no number")
    return value


def _trials(content: bytes, cells: set[str]) -> tuple[tuple[Trial, ...], str | None]:
    """The trials in the order in which they ran, or why there are none."""
    lines = content.split(b"\n")
    if not content.strip():
        return (), "There is no latest.series.jsonl, so nothing is shown over time."
    found: list[Trial] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_trial(parse(line, f"line {number}")))
        except (PageError, KeyError, TypeError, ValueError, AttributeError) as error:
            what = shown(str(error), 120)
            damaged = f"latest.series.jsonl can't be read (line {number}: {what})"
            return (), f"{damaged}, so nothing is shown over time."
    strange = {trial.cell for trial in found} - cells
    if strange:
        return (), "latest.series.jsonl is of another run, so nothing is shown over time."
    return tuple(sorted(found, key=lambda trial: trial.index)), None


def _trial(raw: Mapping[str, Any]) -> Trial:
    t_s = _numbers(raw["t_s"])
    tracks = {name: tuple(_number(value) for value in raw[name]) for name in TRACKS}
    latency_ms, below = _numbers(raw["latency"]["ms"]), _numbers(raw["latency"]["below"])
    if any(len(track) != len(t_s) for track in tracks.values()) or len(latency_ms) != len(below):
        raise ValueError("lists of different lengths")
    return Trial(
        cell=str(raw["cell"]),
        round=int(raw["round"]),
        index=int(raw["index"]),
        twin=bool(raw["twin"]),
        t0_s=float(raw["t0_s"]),
        t1_s=float(raw["t1_s"]),
        t_s=t_s,
        tracks=tracks,
        latency_ms=latency_ms,
        below=below,
        known_to_ms=_number(raw["latency"]["known_to_ms"]),
        disturbances=tuple(map(str, raw["disturbances"])),
        argv=tuple(map(str, raw["argv"])),
    )


def _numbers(values: Sequence[object]) -> tuple[float, ...]:
    found = tuple(number for value in values if (number := _number(value)) is not None)
    if len(found) != len(values):
        raise ValueError("a number is missing")
    return found
