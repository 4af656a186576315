"""Finds what is to be compared: a run id, ``latest``, or a path, and a part of it if asked.

``latest:server=gunicorn`` means the cells of the latest published run on
gunicorn; compared with ``latest:server=uvicorn`` they are paired by round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence  # noqa: TC003 - pydantic reads it when it runs
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench import axes, publish
from bench.analysis.compare import Side
from bench.analysis.effect_changes import KnownEffect, KnownPart
from bench.analysis.metrics import METRICS
from bench.analysis.verdict import Word
from bench.errors import BadInputError
from bench.publish import Warn  # noqa: TC001 - see above
from bench.records.bounds import implausible
from bench.report import document
from bench.text import line, shown

AXES = (*axes.BASIC, "experiment", *axes.SETTINGS)
_PART = re.compile(r"(?P<run>.+?)(?::(?P<part>\w+=[^,:/]+(?:,\w+=[^,:/]+)*))?")


class _Sample(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    round: int
    throughput_rps: float | None
    p50_ms: float | None
    cpu_ms_per_request: float | None
    handler_min_ms: float | None = None


class _Row(BaseModel):
    cell: str
    endpoint: str
    io: str
    experiment: str
    server: str
    workers: int
    python: str
    settings: dict[str, str] = {}
    verdict: str
    samples: list[_Sample]


class _EffectPart(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    where: dict[str, str]
    ratio: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)


class _Effect(BaseModel):
    axis: str
    level: str
    base: str
    of: str | None
    parts: list[_EffectPart]


class _Damage(BaseModel):
    place: str
    what: str


class _Resumption(BaseModel):
    changes: list[str]


class _Run(BaseModel):
    id: str
    profile: dict[str, Any]
    resumed: list[_Resumption] = []


class _Document(BaseModel):
    """The fields of latest.json that a comparison needs."""

    schema_: Literal[2] = Field(alias="schema")
    run: _Run
    host: dict[str, Any]
    environments: dict[str, dict[str, Any]]
    rows: list[_Row]
    effects: list[_Effect] = []
    damage: list[_Damage] = []


def side(text: str, output: Path, warn: Warn) -> Side:
    """The side that a person means by ``text``.

    Raises:
        BadInputError: there is no such run, file or part, or the file is no document of ours.
    """
    found = _PART.fullmatch(text)
    if found is None:
        raise BadInputError(f"compare: found {shown(text)}, allowed: a run id, `latest` or a path")
    part = _part(found["part"] or "")
    read = _document(found["run"], output, warn)
    rows = [row for row in read.rows if all(_level(row, axis) == v for axis, v in part.items())]
    if not rows:
        levels = {axis: sorted({_level(row, axis) for row in read.rows}) for axis in part}
        there = shown(str(levels), 300)
        raise BadInputError(f"compare: found {shown(text)}, which has no cells; there are: {there}")
    # What tells cells of one experiment, server and worker count apart.
    further = ("python", *axes.SETTINGS)
    varied = [axis for axis in further if len({_level(row, axis) for row in read.rows}) > 1]
    named = {_name(row, part, varied): row for row in rows}
    return Side(
        title=text,
        run=read.run.id,
        facts=_facts(read),
        cells={name: _values(row) for name, row in named.items()},
        experiments={name: row.experiment for name, row in named.items()},
        unstable=frozenset(n for n, row in named.items() if row.verdict == Word.UNSTABLE.value),
    )


@dataclass(frozen=True, slots=True)
class Inside:
    """What a run says within itself, for a comparison of effects."""

    title: str
    run: str
    load: Mapping[str, Any]  # under which its effects hold
    effects: tuple[KnownEffect, ...]


def inside(text: str, output: Path, warn: Warn) -> Inside:
    """The effects of the run that a person means by ``text``; of a whole one, as parts have none.

    Raises:
        BadInputError: there is no such run or file, or the file is no document of ours.
    """
    found = _PART.fullmatch(text)
    if found is None or found["part"]:
        raise BadInputError(
            f"compare --effects: found {shown(text)}, allowed: a run id, `latest` or a path;"
            " a part of a run has no effects of its own"
        )
    read = _document(text, output, warn)
    return Inside(
        title=text, run=read.run.id, load=_load(read), effects=tuple(map(_effect, read.effects))
    )


def _effect(read: _Effect) -> KnownEffect:
    return KnownEffect(
        axis=read.axis,
        level=read.level,
        base=read.base,
        of=read.of,
        parts=tuple(
            KnownPart(tuple(part.where.items()), part.ratio, part.low, part.high)
            for part in read.parts
        ),
    )


def _part(text: str) -> dict[str, str]:
    part = dict(piece.split("=", 1) for piece in text.split(",") if piece)
    for axis in part:
        if axis not in AXES:
            raise BadInputError(f"compare: found {axis}, allowed: {', '.join(AXES)}")
    return part


def _document(run: str, output: Path, warn: Warn) -> _Document:
    path = output / "latest.json" if run == "latest" else Path(run)
    name = shown(str(path), 300)
    try:
        if path.is_file():
            read = _Document.model_validate_json(path.read_bytes())
        elif run == "latest":
            raise BadInputError(f"{name}: there is no published run; `nox -s matrix` makes one")
        else:
            found = publish.recorded(output, run, lambda _: None)
            read = _Document.model_validate(document.content(found))
    except OSError as error:
        raise BadInputError(f"{name}: can't be read: {error}") from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"])) or "the whole"
        told = shown(f"{where}: {fault['msg']}", 300)
        raise BadInputError(f"{name}: {told}; it is no latest.json of schema 2") from error
    if wrong := implausible(read.model_dump()):
        raise BadInputError(f"{name}: {shown(wrong, 300)}")
    for damage in read.damage:
        warn(line(f"{run}: {damage.place} is corrupt ({damage.what}): left out of the comparison"))
    return read


def _level(row: _Row, axis: str) -> str:
    return row.experiment if axis == "experiment" else axes.levels(row).get(axis, "")


def _name(row: _Row, part: Mapping[str, str], varied: Sequence[str]) -> str:
    """What is left to tell the cells of a part apart, of a run that varies these axes, too."""
    if not part:
        return row.cell
    named = [] if {"endpoint", "io", "experiment"} & part.keys() else [row.experiment]
    if not named:
        named = [_level(row, axis) for axis in ("endpoint", "io")
                 if axis not in part and "experiment" not in part]  # fmt: skip
    named += [row.server] if "server" not in part else []
    named += [f"w{row.workers}"] if "workers" not in part else []
    named += [f"py{row.python}"] if "python" not in part and "python" in varied else []
    left = (pair for pair in row.settings.items() if pair[0] in varied and pair[0] not in part)
    return "-".join(named) + axes.tags(left)


def _values(row: _Row) -> dict[str, dict[int, float]]:
    """By metric and round; what is unknown or nothing to make a ratio of is left out."""
    return {
        metric.name: {
            sample.round: value
            for sample in row.samples
            if (value := getattr(sample, metric.name)) is not None and value > 0
        }
        for metric in METRICS
    }


def _load(read: _Document) -> dict[str, Any]:
    spent = {"name", "rounds", "budget_s", "precision"}  # how often, not under which load
    return {k: v for k, v in read.run.profile.items() if k not in spent}


def _facts(read: _Document) -> dict[str, Any]:
    """What should be the same on both sides."""
    facts: dict[str, Any] = {
        name: read.host.get(name) for name in ("cpu", "cores", "memory_gb", "os", "kernel")
    }
    facts["profile"] = _load(read)
    for axis in axes.SETTINGS:
        levels = {row.settings.get(axis) for row in read.rows}
        if len(levels) == 1 and None not in levels:  # what varies is told by the cells' names
            facts[axis] = levels.pop()
    facts["changed halfway"] = [change for step in read.run.resumed for change in step.changes]
    for name, environment in sorted(read.environments.items()):
        if environment.get("role") == "server":
            facts[f"Python of {name}"] = environment.get("python")
            packages = environment.get("packages")
            if isinstance(packages, dict):
                facts |= {f"{package} of {name}": v for package, v in sorted(packages.items())}
    return facts
