"""A strict reader of Go's benchmark format, written from golang.org/design/14313-benchmark-format.

The format lets a reader skip any line that it doesn't know; this one refuses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
KEY = re.compile(r"[a-z][^\s:A-Z]*")


@dataclass(frozen=True, slots=True)
class Result:
    """A result line."""

    name: str  # without "Benchmark"
    parts: dict[str, str]  # the name's /key=value
    iterations: int
    values: dict[str, float]  # by unit


@dataclass(slots=True)
class File:
    """A whole file."""

    configuration: dict[str, str] = field(default_factory=dict)
    better: dict[str, str] = field(default_factory=dict)  # by unit
    results: list[Result] = field(default_factory=list)


def read(text: str) -> File:
    """Every line, or a failure."""
    found = File()
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("Benchmark"):
            found.results.append(_result(line))
        elif line.startswith("Unit "):
            _, unit, *pairs = line.split()
            found.better |= {unit: dict(pair.split("=") for pair in pairs)["better"]}
        elif line and not line.startswith("#"):
            key, colon, value = line.partition(":")
            assert colon, line
            assert KEY.fullmatch(key), line
            assert value.startswith((" ", "\t")), line
            found.configuration[key] = value.strip()
    return found


def _result(line: str) -> Result:
    fields = line.split()
    assert len(fields) >= 4, line
    assert len(fields) % 2 == 0, line
    name, *parts = fields[0].removeprefix("Benchmark").split("/")
    assert name[0].isupper(), line
    assert fields[1].isdecimal(), line
    values = dict(zip(fields[3::2], fields[2::2], strict=True))
    assert all(NUMBER.fullmatch(value) for value in values.values()), line
    return Result(
        name,
        dict(part.split("=", 1) for part in parts),
        int(fields[1]),
        {unit: float(value) for unit, value in values.items()},
    )
