"""What the users of one's own application ask, in turn. Pure, standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locustfiles import layout, requests

if TYPE_CHECKING:
    from collections.abc import Mapping


class Script:
    """What all users together ask, one after another."""

    def __init__(self, plan: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Of a plan as `bench.config.target.as_json` gives it.

        Raises:
            LackingError: a variable has no value.
        """
        self.login: dict[str, Any] | None = plan["login"]
        self.kinds: list[dict[str, Any]] = plan["kinds"]
        self._turns = requests.turns([kind["weight"] for kind in self.kinds])
        self._at = 0
        self._numbers = [0] * len(self.kinds)
        took = set(self.login["take"]) if self.login else set()
        # Made beforehand, but for those that each user fills with what its login gave.
        self._made = [
            None if requests.names(kind) & took else requests.variants(kind, secrets)
            for kind in self.kinds
        ]

    @property
    def cycle(self) -> int:
        """After so many requests the kinds come in the same order again."""
        return len(self._turns)

    def next(self, values: Mapping[str, str]) -> tuple[int, requests.Asked]:
        """The kind whose turn it is, and its next form."""
        kind = self._turns[self._at]
        self._at = (self._at + 1) % len(self._turns)
        number = self._numbers[kind]
        self._numbers[kind] = number + 1
        made = self._made[kind]
        if made is None:
            return kind, requests.variant(self.kinds[kind], number, values)
        return kind, made[number % len(made)]

    def wrong(self, kind: int, status: int, body: bytes) -> str | None:
        """What is wrong with an answer to this kind."""
        asked = self.login if kind == layout.LOGIN else self.kinds[kind]
        return None if asked is None else requests.wrong(asked["expect"], status, body)
