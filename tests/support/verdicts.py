"""Verdicts as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.report.reasons import sentences

if TYPE_CHECKING:
    from bench.analysis.verdict import Verdict


def said(verdict: Verdict) -> tuple[str, ...]:
    """The word, then a sentence for each reason."""
    return (verdict.word.value, *sentences(verdict))
