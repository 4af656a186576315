"""What a worker finds of its own sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from app.probe import sockets
from app.probe.sockets import Audit, look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a socket's backlog")


@contextlib.contextmanager
def connected(count: int, backlog: int = 7) -> Iterator[list[socket.socket]]:
    """A listening socket with so many accepted connections, which are given."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(backlog)
        accepted = []
        for _ in range(count):
            stack.enter_context(socket.create_connection(listening.getsockname()))
            accepted.append(stack.enter_context(listening.accept()[0]))
        yield accepted


def test_nobody_is_connected() -> None:
    """Then there is nothing to tell yet."""
    with connected(0):
        assert look() is None


@pytest.mark.parametrize("nodelay", [0, 2, 3])
def test_connections_are_told_by_what_they_are_set_to(nodelay: int) -> None:
    """Accepted ones alone: the other ends, which are ours, too, come from ports of nobody's."""
    with connected(3) as accepted:
        for one in accepted[:nodelay]:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found = look()
        assert found is not None
        assert (found["connections"], found["nodelay"]) == (3, nodelay)
        assert found["open_files"] is not None
        assert [one.fileno() > 0 for one in accepted] == [True] * 3  # none was closed by looking


@LINUX
def test_the_backlog_is_what_the_kernel_gave() -> None:
    """Of the smallest."""
    with connected(1, backlog=7), connected(1, backlog=5):
        found = look()
        assert found is not None
        assert found["backlog"] == 5


def test_it_looks_until_somebody_is_connected(tmp_path: Path) -> None:
    """And then no more; in the end it gives up."""
    audit = Audit(tmp_path / "audit-1.json")
    audit.look()
    assert audit.left == sockets.TRIES - 1
    with connected(1) as (one,):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        audit.look()
    assert audit.left == 0
    assert json.loads((tmp_path / "audit-1.json").read_text("utf-8"))["connections"] == 1


def test_a_connection_that_is_not_set_yet_is_looked_at_again(tmp_path: Path) -> None:
    """A loop sets those that it has accepted one by one; one that never is, is told in the end."""
    path = tmp_path / "audit-1.json"
    with connected(2) as accepted:
        audit = Audit(path)
        audit.look()
        assert not path.exists()
        for one in accepted:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        audit.look()
        assert audit.left == 0
        assert json.loads(path.read_text("utf-8"))["nodelay"] == 2
    with connected(1):
        audit = Audit(path)
        for _ in range(sockets.DOUBTS + 1):
            assert audit.left
            audit.look()
        assert audit.left == 0
        assert json.loads(path.read_text("utf-8"))["nodelay"] == 0


def test_what_cannot_be_listed_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker goes on."""
    monkeypatch.setattr(sockets, "DESCRIPTORS", tmp_path / "none")
    audit = Audit(tmp_path / "audit-1.json")
    audit.look()
    assert not (tmp_path / "audit-1.json").exists()


def test_a_disk_without_room_costs_no_heartbeat(tmp_path: Path) -> None:
    """What can't be written is not known; nothing is raised into the loop's timer."""
    audit = Audit(tmp_path / "gone" / "audit-1.json")
    with connected(1) as (one,):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        audit.look()
    assert audit.left == 0
