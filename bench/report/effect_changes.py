"""What has changed within two runs: a table for a terminal, Markdown for a summary, and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from bench.analysis.effect_changes import Changed
from bench.axes import SETTINGS, told
from bench.text import code, escape, line, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.analysis.effect_changes import Change, Changes, Key, KnownPart

    Name = Callable[[str], str]

SCHEMA = 1
ENDPOINTS = {"sync": "def", "async": "async def", "async_sync": "blocking async def"}
ORDER = (Changed.CHANGED, Changed.UNKNOWN, Changed.SAME)
HEADINGS = ("effect", "first", "second", "second / first", "")


def table(changes: Changes, runs: tuple[str, str]) -> str:
    """The changed ones first, and what it comes to."""
    first, second = (line(run) for run in runs)
    lines = [
        f"effects of {second} against those of {first}, each run within itself",
        "",
        tabulate(
            [_row(change, line) for change in _ordered(changes)],
            headers=HEADINGS, tablefmt="simple", disable_numparse=True,
        ),
        "",
        _rule(changes),
    ]  # fmt: skip
    for run, keys in ((first, changes.only_a), (second, changes.only_b)):
        if keys:
            lines.append(f"only in {run}: {'; '.join(_name(key, line) for key in keys)}")
    lines.append(_count(changes))
    return "\n".join(lines)


def markdown(changes: Changes, runs: tuple[str, str]) -> str:
    """The count and what has changed; the rest is folded away."""
    changed = "".join(
        f"- **{_name(change.key, escape)}**: {_times(change.a)}, now {_times(change.b)}\n"
        for change in changes.of(Changed.CHANGED)
    )
    rows = tabulate(
        [_row(change, escape) for change in _ordered(changes)],
        headers=HEADINGS, tablefmt="github", disable_numparse=True,
    )  # fmt: skip
    only = len(changes.only_a) + len(changes.only_b)
    left = f" {only} could not be compared, as only one of the runs has them." if only else ""
    return (
        f"\n### Against {code(runs[0])}\n\nEffects inside each run: {_count(changes)}.{left}\n\n"
        f"{changed}\n<details>\n<summary>All effects of both runs</summary>\n\n{rows}\n\n"
        f"{_rule(changes)}\n\n</details>\n"
    )


def document(changes: Changes, runs: tuple[str, str]) -> str:
    """The same for programs."""
    content = {
        "schema": SCHEMA,
        "a": runs[0],
        "b": runs[1],
        "threshold": changes.threshold,
        "effects": [
            {
                **_key(change.key), "a": _part(change.a), "b": _part(change.b),
                "ratio": change.ratio, "low": change.low, "high": change.high,
                "word": change.word.value,
            }
            for change in changes.compared
        ],
        "only_a": [_key(key) for key in changes.only_a],
        "only_b": [_key(key) for key in changes.only_b],
    }  # fmt: skip
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _ordered(changes: Changes) -> list[Change]:
    return sorted(changes.compared, key=lambda change: ORDER.index(change.word))


def _row(change: Change, shown: Name) -> list[str]:
    ratio = f"{number(change.ratio)}× ({number(change.low)} to {number(change.high)})"
    return [
        _name(change.key, shown),
        _times(change.a),
        _times(change.b),
        ratio,
        change.word.value,
    ]


def _times(part: KnownPart) -> str:
    return f"{number(part.ratio)}× ({number(part.low)} to {number(part.high)})"


def _name(key: Key, shown: Name) -> str:
    """``async def / def, http, 1 worker``."""
    level, base = (_level(key.axis, level, shown) for level in (key.level, key.base))
    where = [] if key.of is None else [shown(key.of)]
    where += [_level(axis, level, shown) for axis, level in key.where]
    return ", ".join([f"{level} / {base}", *where])


def _level(axis: str, level: str, shown: Name) -> str:
    if axis == "endpoint":
        return ENDPOINTS.get(level) or shown(level)
    if axis == "workers":
        return f"{shown(level)} worker{'' if level == '1' else 's'}"
    if axis in SETTINGS:
        return shown(told(axis, level))
    return f"Python {shown(level)}" if axis == "python" else shown(level)


def _count(changes: Changes) -> str:
    return ", ".join(f"{len(changes.of(word))} {word.value}" for word in ORDER)


def _rule(changes: Changes) -> str:
    return (
        f"changed: the interval of second / first lies wholly beyond {changes.threshold:.0%}, also"
        " after Benjamini and Hochberg's correction for"
        f" {len(changes.compared)} effects; the same: it lies within {changes.threshold:.0%}"
    )


def _key(key: Key) -> dict[str, Any]:
    return {
        "axis": key.axis, "level": key.level, "base": key.base, "of": key.of,
        "where": dict(key.where),
    }  # fmt: skip


def _part(part: KnownPart) -> dict[str, Any]:
    return {"ratio": part.ratio, "low": part.low, "high": part.high}
