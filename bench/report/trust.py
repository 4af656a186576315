"""The answers at the top of a report, and what under the tables says how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import text
from bench.report import lines
from bench.report.answers import by_turns, sentence, told
from bench.text import milliseconds, number

if TYPE_CHECKING:
    from bench.analysis.drift import Drift
    from bench.analysis.effects import Effect
    from bench.analysis.noise import Noise
    from bench.analysis.results import Results
    from bench.records.model import RunRecord
    from bench.stats import LogRatio

TOGETHER = 3  # parts of an answer in one line


def damage(results: Results) -> str | None:
    """Which records were left out, and what is missing for it."""
    if not results.damage:
        return None
    shown = {row.cell for row in results.rows}
    absent = [text.code(cell) for cell in results.run.cells if cell not in shown]
    without = f"; without any: {', '.join(absent)}" if absent else ""
    listed = "\n".join(f"- {text.escape(str(damage))}" for damage in results.damage)
    return (
        f"**Some records are corrupt and left out.** {_intact(results)} an intact one{without}."
        f"\n\n{listed}"
    )


def _intact(results: Results) -> str:
    if results.run.profile.rounds is None:
        return "1 trial has" if results.recorded == 1 else f"{results.recorded} trials have"
    return f"{results.recorded} of the plan's {results.run.trials} trials have"


def resumed(run: RunRecord) -> str | None:
    """That figures from before and after a change stand side by side."""
    told = [f"**{text.escape(sentence)}**" for sentence in lines.resumed(run)]
    return "\n\n".join(told) or None


def answers(results: Results) -> str | None:
    """The effects in words, a line each, with what they are taken from."""
    if not results.effects:
        return None
    lines = "\n".join(_answer(effect) for effect in results.effects)
    sooner = by_turns(results.effects, own=any(not row.endpoint for row in results.rows))
    return (
        f"{lines}\n\nFrom pairs of cells that differ in nothing else and whose throughput is known,"
        " weighted by how well; in brackets the 95 % confidence interval. Where pairs disagree the"
        " answer is given apart. *The same* is within 5 %, *not known yet* neither that nor beyond."
        f"{'' if sooner is None else f' {sooner}.'}"
    )


def _answer(effect: Effect) -> str:
    """A line; with many parts a line each, so that they can be found."""
    head, parts = told(effect, text.code)
    if len(parts) <= TOGETHER:
        return f"- {sentence(effect, text.code)}"
    return "\n".join([f"- {head}:", *(f"  - {part}" for part in parts)])


def noise_floor(noise: Noise | None) -> str | None:
    """How far a cell differs from itself."""
    if noise is None:
        return None
    pairs = noise.ratios[0][1].n
    parts = ", ".join(f"{metric.title} {_change(ratio)}" for metric, ratio in noise.ratios)
    rounds = "1 round" if pairs == 1 else f"{pairs} rounds"
    return (
        f"Noise floor: {text.code(noise.cell)}, measured twice in each of {rounds}, differs from"
        f" itself by: {parts}."
    )


def _change(ratio: LogRatio) -> str:
    change = f"{ratio.ratio - 1:+.1%}"
    if ratio.low is None or ratio.high is None:
        return change
    return f"{change} ({ratio.low - 1:+.1%} to {ratio.high - 1:+.1%})"


def controls(drift: Drift | None) -> str | None:
    """The generator's own limits, and the machine's drift over the run."""
    if drift is None:
        return None
    told = []
    if drift.ceiling_rps is not None:
        ratio = drift.ceiling_ratio
        change = "" if ratio is None else f" ({ratio - 1:+.1%} at the end of the run)"
        told.append(f"it reaches {number(drift.ceiling_rps)} requests/s{change}")
    told += [
        f"{processes} processes of it {number(rate)}" for processes, rate in drift.ceilings.items()
    ]
    if drift.added_ms is not None:
        told.append(f"it adds {milliseconds(drift.added_ms)} to a latency of 200 ms (median)")
    told += [text.escape(failure) for failure in drift.failures]
    return f"Controls, the generator straight at the delay server: {'; '.join(told)}."
