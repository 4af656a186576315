"""One real request of each kind before the load: status and body must be right, no redirect."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bench.run.server.verify import Unverified, ask
from locustfiles import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_S = 30.0  # for one answer
POLL_S = 0.05


def await_ready(host: str, port: int, path: str, ready_s: float) -> None:
    """Ask ``path`` until it answers 200.

    Raises:
        Unverified: it has not in time.
    """
    deadline = time.monotonic() + ready_s
    said = "nothing"
    while time.monotonic() < deadline:
        try:
            status, _, _ = ask(host, port, requests.Asked("GET", path, {}, b""), POLL_S * 40)
        except Unverified as silent:
            said = str(silent)
        else:
            if status == 200:
                return
            said = f"HTTP {status}"
        time.sleep(POLL_S)
    raise Unverified(f"{path} was not ready (200) after {ready_s:g} s; last: {said}")


def verify(host: str, port: int, plan: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Log in, and ask the first form of each kind once.

    Args:
        host: of the server.
        port: of the server.
        plan: kinds and login, as `bench.config.target.as_json` has them.
        values: of variables that a login does not give.

    Raises:
        Unverified: an answer is wrong or missing; it says which and how.
    """
    values = dict(values)
    if (login := plan["login"]) is not None:
        body = _checked(host, port, login, values)
        try:
            values |= requests.taken(body, login["take"])
        except requests.LackingError as lacking:
            raise Unverified(str(lacking)) from None
    for kind in plan["kinds"]:
        _checked(host, port, kind, values)


def _checked(host: str, port: int, kind: Mapping[str, Any], values: Mapping[str, str]) -> bytes:
    asked = requests.variant(kind, 0, values)
    status, location, body = ask(host, port, asked, PATIENCE_S)
    wrong = requests.wrong(kind["expect"], status, body)
    if wrong is None:
        return body
    named = f"{kind['name']}: {asked.method} {asked.target.partition('?')[0]}"
    if 300 <= status < 400:
        raise Unverified(f"{named} redirects to {location} (HTTP {status})")
    if status != kind["expect"]["status"]:
        raise Unverified(
            f"{named} answers HTTP {status}, expected {kind['expect']['status']}: {_excerpt(body)}"
        )
    lacking = [text for text in kind["expect"]["contains"] if text.encode() not in body]
    raise Unverified(f"{named} answers without {lacking[0]!r}: {_excerpt(body)}")


def _excerpt(body: bytes) -> str:
    text = body[:500].decode(errors="replace")
    return text if len(text) <= 200 else text[:200] + "…"
