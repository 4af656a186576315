"""The delay server as the harness sees it: start, ask for its counts, stop."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.problem import Lacking
from bench.run import process
from bench.run.process import Child, Ended, Keeper, Late

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOST = "127.0.0.1"
START_S = 10.0
ASK_S = 2.0


@dataclass(frozen=True, slots=True)
class DelayServer:
    """A running delay server."""

    child: Child
    port: int
    go: str

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://{HOST}:{self.port}"

    def stats(self) -> dict[str, Any]:
        """Its counts since the last reset.

        Raises:
            OSError: it does not answer.
        """
        return dict(json.loads(_ask(self.port, "GET", "/stats")))

    def reset(self) -> None:
        """Set its counts to zero.

        Raises:
            OSError: it does not answer.
        """
        _ask(self.port, "POST", "/reset")

    def stop(self) -> None:
        """End it."""
        self.child.stop(grace_s=0.5)


def start(
    binary: Path,
    *,
    keeper: Keeper,
    env: Mapping[str, str],
    log: Path,
    extra: tuple[str, ...] = (),
    cpus: tuple[int, ...] = (),
) -> DelayServer:
    """Start the binary on a port that the system picks.

    Raises:
        Lacking: it did not start; with what it said.
    """
    child = process.start(
        "the delay server",
        [binary, "-port", "0", *extra],
        keeper=keeper,
        cwd=log.parent,
        env=env,
        log=log,
        tells="stdout",
        cpus=cpus,
    )
    try:
        announced = child.event(START_S)
        return DelayServer(child, int(announced["port"]), str(announced["go"]))
    except (Ended, Late, KeyError, ValueError) as problem:
        tail = child.log_tail()
        child.stop(grace_s=0)
        raise Lacking(f"The delay server did not start: {problem}. It said: {tail}") from problem
    except BaseException:
        child.stop(grace_s=0)
        raise


def _ask(port: int, method: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(HOST, port, timeout=ASK_S)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
    except http.client.HTTPException as broken:
        raise OSError(f"the delay server's answer to {path} can't be read: {broken}") from broken
    finally:
        connection.close()
    if response.status >= 300:
        raise OSError(f"the delay server answered {path} with {response.status}")
    return body
