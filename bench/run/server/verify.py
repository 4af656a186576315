"""One real request before the load: status, body and delay must be right, with no redirect."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass

from locustfiles.requests import Asked

# A server may take this much longer than the delay for its very first answer.
PATIENCE_S = 4.0
# A timer may fire this much early (clock granularity).
EARLY = 0.995


class Unverified(Exception):  # noqa: N818 - a finding, not an error
    """The application does not do what the experiment says; why."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a right answer to ``path`` is."""

    path: str
    body: object  # as JSON
    at_least_s: float


def verify(host: str, port: int, expected: Expectation) -> bytes:
    """Ask once; gives the exact body, which the generator then compares every answer to.

    Raises:
        Unverified: the answer is wrong, late or missing.
    """
    timeout_s = expected.at_least_s + PATIENCE_S
    started = time.monotonic()
    asked = Asked("GET", expected.path, {}, b"")
    status, location, body = ask(host, port, asked, timeout_s)
    took_s = time.monotonic() - started
    if 300 <= status < 400:
        raise Unverified(f"{expected.path} redirects to {location} (HTTP {status})")
    if status != 200:
        raise Unverified(f"{expected.path} answers HTTP {status}: {_excerpt(body)}")
    try:
        found = json.loads(body)
    except ValueError:
        raise Unverified(f"{expected.path} answers no JSON: {_excerpt(body)}") from None
    if found != expected.body:
        raise Unverified(
            f"{expected.path} answers {_excerpt(body)}, expected"
            f" {_excerpt(json.dumps(expected.body).encode())}"
        )
    if took_s < expected.at_least_s * EARLY:
        raise Unverified(
            f"{expected.path} answers after {took_s * 1e3:.0f} ms, before the delay of"
            f" {expected.at_least_s * 1e3:.0f} ms is over"
        )
    return body


def ask(host: str, port: int, asked: Asked, timeout_s: float) -> tuple[int, str | None, bytes]:
    """Status, where it redirects to, body.

    Raises:
        Unverified: no answer came.
    """
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request(asked.method, asked.target, asked.body or None, dict(asked.headers))
        response = connection.getresponse()
        return response.status, response.getheader("Location"), response.read()
    except TimeoutError:
        raise Unverified(f"{asked.target} has not answered in {timeout_s:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unverified(
            f"{asked.target} gives no answer: {type(error).__name__}: {error}"
        ) from None
    finally:
        connection.close()


def _excerpt(body: bytes) -> str:
    text = body.decode(errors="replace")
    return text if len(text) <= 120 else text[:120] + "…"
