"""What users of one's own application ask, made from its file, and what a right answer is.

Pure, and of the standard library alone: the harness asks each kind once before the load, and the
load generator asks them all the time; both make and judge them here. A kind of request is a
mapping as `bench.config.target.as_json` gives it.
"""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
MOST_VARIANTS = 10_000
_SAFE = "/:@!$&'()*+,;=-._~%"  # of a path: what RFC 3986 leaves as it is


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it is sent."""

    method: str
    target: str  # path and query
    headers: Mapping[str, str]
    body: bytes


class LackingError(ValueError):
    """A variable has no value, or a login's answer does not hold what is taken from it."""


def variants(kind: Mapping[str, Any], values: Mapping[str, str]) -> list[Asked]:
    """All forms of a kind, in the order in which they are asked; then from the first again.

    Lists of values go on side by side, each by itself: of 50 pages and 2 orders there are 50
    forms. ``values`` fills ``${NAME}`` that no list of the kind does.

    Raises:
        LackingError: a variable has no value.
    """
    lists = [*kind["query"].values(), *kind["vary"].values()]
    count = min(MOST_VARIANTS, math.lcm(*(len(one) for one in lists))) if lists else 1
    return [variant(kind, number, values) for number in range(count)]


def variant(kind: Mapping[str, Any], number: int, values: Mapping[str, str]) -> Asked:
    """The form of that number, from 0.

    Raises:
        LackingError: a variable has no value.
    """
    here = {**values, **{name: _turn(found, number) for name, found in kind["vary"].items()}}
    query = "&".join(
        f"{quote_plus(name)}={fill(_turn(found, number), here, quote_plus, quote_plus)}"
        for name, found in kind["query"].items()
    )
    path = fill(kind["path"], here, lambda value: quote(value, safe=""), _as_path)
    body = kind["body"]
    return Asked(
        method=kind["method"],
        target=f"{path}?{query}" if query else path,
        headers={name: fill(value, here, str) for name, value in kind["headers"].items()},
        body=b"" if body is None else fill(body, here, _ENCODED[kind["encoding"]]).encode(),
    )


def _turn(values: Sequence[str], number: int) -> str:
    return values[number % len(values)]


def _as_path(text: str) -> str:
    return quote(text, safe=_SAFE)


def _in_json(value: str) -> str:
    """Within a JSON text's quotes."""
    return json.dumps(value)[1:-1]


def _plain(value: str) -> str:
    return value


def _in_form(value: str) -> str:
    return quote_plus(value)


_ENCODED = {"json": _in_json, "form": _in_form, None: _plain}


def fill(
    template: str,
    values: Mapping[str, str],
    encode: Callable[[str], str],
    encode_rest: Callable[[str], str] = _plain,
) -> str:
    """The template with its variables' values, encoded for where they stand.

    Raises:
        LackingError: a variable has no value.
    """
    parts = VARIABLE.split(template)  # text, name, text, name, …, text
    filled = []
    for at, part in enumerate(parts):
        if at % 2 == 0:
            filled.append(encode_rest(part))
        elif part in values:
            filled.append(encode(values[part]))
        else:
            raise LackingError(f"${{{part}}} has no value")
    return "".join(filled)


def names(kind: Mapping[str, Any]) -> set[str]:
    """The variables that a kind needs and does not vary itself."""
    texts = [kind["path"], kind["body"] or "", *kind["headers"].values()]
    texts += [value for found in kind["query"].values() for value in found]
    found: set[str] = {name for text in texts for name in VARIABLE.findall(text)}
    return found - set(kind["vary"])


def wrong(expect: Mapping[str, Any], status: int, body: bytes) -> str | None:
    """What is wrong with an answer, in few and general words; None: nothing."""
    if status != expect["status"]:
        return layout.redirect(status) if 300 <= status < 400 else f"HTTP {status}"
    for text in expect["contains"]:
        if text.encode() not in body:
            return layout.WRONG_BODY
    return None


def taken(body: bytes, take: Mapping[str, str]) -> dict[str, str]:
    """What a login's answer gives, by variable.

    Raises:
        LackingError: it is no JSON, or has no such text or number.
    """
    try:
        document = json.loads(body)
    except ValueError:
        raise LackingError("the login's answer is no JSON") from None
    return {name: _at(document, place) for name, place in take.items()}


def _at(document: Any, place: str) -> str:
    value = document
    for step in place.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise LackingError(f"the login's answer has no {place}")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise LackingError(f"{place} in the login's answer is neither text nor a number")
    return str(value)


def turns(weights: Sequence[int]) -> list[int]:
    """In which order kinds of these weights are asked: as evenly mixed as can be.

    Each turn goes to the kind that lags most behind its share (smooth weighted round robin).
    """
    total = sum(weights)
    credit = [0] * len(weights)
    order = []
    for _ in range(total):
        credit = [have + weight for have, weight in zip(credit, weights, strict=True)]
        chosen = max(range(len(weights)), key=lambda at: credit[at])
        credit[chosen] -= total
        order.append(chosen)
    return order


def hidden(text: str, secrets: Sequence[str]) -> str:
    """The text with each secret replaced, also as JSON, URL-encoded or in base64 (three phases)."""
    for form in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def _forms(secrets: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for secret in secrets:
        if not secret:
            continue
        raw = secret.encode()
        found |= {secret, _in_json(secret), quote(secret, safe=""), quote_plus(secret)}
        found |= {quote(secret), json.dumps(secret, ensure_ascii=False)[1:-1]}
        found |= _in_base64(raw)
    return found


def _in_base64(raw: bytes) -> set[str]:
    """However many bytes stand before it: the part of the text that depends on it alone."""
    found = set()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + raw).decode().rstrip("=")
            first = (0, 2, 3)[before]
            last = len(text) - (1 if (before + len(raw)) % 3 else 0)
            found.add(text[first:last])
    return {text for text in found if len(text) >= 4}
