"""One figure of a benchmark and the bound that it is held to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` in ``unit`` must be at most ``bound``; ``detail`` says what it is made of."""

    what: str
    value: float
    bound: float
    unit: str = ""
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether the bound is kept."""
        return self.value <= self.bound

    def line(self, *, held: bool = True) -> str:
        """As it is printed; where no bound is held, without a judgement."""
        word = "" if not held else "ok" if self.met else "MISSED"
        detail = f"  ({self.detail})" if self.detail else ""
        return (
            f"{word:6} {self.what}: {self.value:.3f}{self.unit}, at most"
            f" {self.bound:g}{self.unit}{detail}"
        )
