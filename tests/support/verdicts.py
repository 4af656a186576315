"""Verdicts as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.report.reasons import of_trial, sentence, sentences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.analysis.fitness import Judged
    from bench.analysis.reason import Reason
    from bench.analysis.verdict import Verdict


def said(verdict: Verdict) -> tuple[str, ...]:
    """The word, then a sentence for each reason."""
    return (verdict.word.value, *sentences(verdict))


def told(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """A sentence for each reason."""
    return tuple(sentence([reason]) for reason in reasons)


def said_of(judged: Judged) -> tuple[str, ...]:
    """What a trial is fit for, then why, then the doubts that stay."""
    return (judged.fitness.value, *of_trial(judged))
