"""The delay server as the harness sees it: start, ask for its counts, stop."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING

from bench.errors import RequirementError
from bench.records.trial_files import UPSTREAM_COUNTS
from bench.run.process import children
from bench.run.process.children import Child, Ended, Keeper, Late
from bench.run.server.delay_page import DelayPage

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.trial_files import UpstreamCounts

HOST = "127.0.0.1"
START_S = 10.0
ASK_S = 2.0


class DelayServer:
    """A running delay server. It can be started again, should it have died between two trials."""

    def __init__(
        self,
        binary: Path,
        *,
        keeper: Keeper,
        log: Path,
        page: Path,
        extra: tuple[str, ...] = (),
        cpus: tuple[int, ...] = (),
        also: str | None = None,
    ) -> None:
        """Start the binary on a port that the system picks, on ``cpus`` if given.

        It listens on loopback, and ``also`` at another address of this machine if given. Its
        ``page`` is made by itself; where that can't be mapped, ``self.page`` is None.

        Raises:
            RequirementError: it did not start; with what it said.
        """
        beside = ("-also", also) if also else ()
        self._argv = [str(binary), "-port", "0", "-page", str(page), *beside, *extra]
        self._also = also
        self._keeper, self._log, self._page, self._cpus = keeper, log, page, cpus
        self._start()

    @property
    def url(self) -> str:
        """Its base URL, for the application."""
        return f"http://{HOST}:{self.port}"

    @property
    def outer_url(self) -> str:
        """Its base URL, for the load generator."""
        return f"http://{self._also or HOST}:{self.port}"

    def ensure(self) -> None:
        """Start it again if it has ended.

        Raises:
            RequirementError: it did not start; with what it said.
        """
        if self.child.exit_code() is not None:
            self.child.stop(grace_s=0)
            self._start()

    def stats(self) -> UpstreamCounts:
        """Its counts since the last reset.

        Raises:
            OSError: it does not answer.
            ValueError: what it answers are no counts.
        """
        return UPSTREAM_COUNTS.validate_json(_ask(self.port, "GET", "/stats"))

    def reset(self) -> None:
        """Set its counts to zero.

        Raises:
            OSError: it does not answer.
        """
        _ask(self.port, "POST", "/reset")

    def stop(self) -> None:
        """End it."""
        self.child.stop(grace_s=0.5)

    def _start(self) -> None:
        self.child: Child = children.start(
            "the delay server",
            self._argv,
            keeper=self._keeper,
            cwd=self._log.parent,
            env=children.child_environment(),
            log=self._log,
            tells="stdout",
            cpus=self._cpus,
        )
        try:
            announced = self.child.event(START_S)
            self.port, self.go = int(announced["port"]), str(announced["go"])
        except (Ended, Late, KeyError, ValueError) as problem:
            said = self.child.log_tail()
            self.child.stop(grace_s=0)
            raise RequirementError(
                f"The delay server did not start: {problem}. It said: {said}"
            ) from problem
        except BaseException:
            self.child.stop(grace_s=0)
            raise
        self.page: DelayPage | None = None
        with contextlib.suppress(OSError, ValueError):
            self.page = DelayPage(self._page)


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
