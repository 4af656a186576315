"""The one request before the load, against a real server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from bench.run.server.verify import Expectation, Unverified, verify

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
DELAY_S = 0.1

ANSWERS = {
    "/right": (200, b'{"waited_ms": 100}'),
    "/spaced": (200, b'{ "waited_ms":100 }\n'),
    "/created": (201, b'{"waited_ms": 100}'),
    "/error": (500, b"Internal Server Error"),
    "/missing": (404, b'{"detail":"Not Found"}'),
    "/wrong": (200, b'{"waited_ms": 99}'),
    "/text": (200, b"<html>hello</html>"),
    "/empty": (200, b""),
    "/binary": (200, b"\xff\xfe"),
    "/long": (500, b"x" * 121),
    "/fits": (500, b"x" * 120),
}


class Handler(BaseHTTPRequestHandler):
    """Answers by path, after the delay except where told otherwise."""

    def do_GET(self) -> None:
        """The fault is in the path."""
        if self.path == "/early":
            self._answer(200, b'{"waited_ms": 100}')
            return
        time.sleep(DELAY_S)
        if self.path == "/closed":
            self.close_connection = True
        elif self.path == "/garbled":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        elif self.path == "/short":
            self._answer(200, b'{"waited', promised=100)
        elif self.path == "/moved":
            self._answer(307, b"", location="/right/")
        elif self.path == "/hangs":
            time.sleep(1.0)
        else:
            self._answer(*ANSWERS[self.path])

    def _answer(
        self, status: int, body: bytes, *, promised: int | None = None, location: str | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A running server's port."""
    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def expectation(path: str, at_least_s: float = DELAY_S) -> Expectation:
    """What the application should answer."""
    return Expectation(path, {"waited_ms": 100}, at_least_s)


def fault(port: int, expected: Expectation) -> str:
    """What a person reads of a wrong answer."""
    with pytest.raises(Unverified) as caught:
        verify(HOST, port, expected)
    return str(caught.value)


def test_a_right_answer_gives_its_exact_bytes(port: int) -> None:
    """The load is checked against these, so not even a blank may be lost."""
    assert verify(HOST, port, expectation("/right")) == ANSWERS["/right"][1]
    assert verify(HOST, port, expectation("/spaced")) == ANSWERS["/spaced"][1]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/moved", "/moved redirects to /right/ (HTTP 307)"),
        ("/error", "/error answers HTTP 500: Internal Server Error"),
        ("/missing", '/missing answers HTTP 404: {"detail":"Not Found"}'),
        ("/created", '/created answers HTTP 201: {"waited_ms": 100}'),
        ("/wrong", '/wrong answers {"waited_ms": 99}, expected {"waited_ms": 100}'),
        ("/text", "/text answers no JSON: <html>hello</html>"),
        ("/empty", "/empty answers no JSON: "),
        ("/binary", "/binary answers no JSON: \ufffd\ufffd"),
        ("/long", f"/long answers HTTP 500: {'x' * 120}…"),
        ("/fits", f"/fits answers HTTP 500: {'x' * 120}"),
        (
            "/closed",
            (
                "/closed gives no answer: RemoteDisconnected: Remote end closed connection without"
                " response"
            ),
        ),
        ("/garbled", "/garbled gives no answer: BadStatusLine: SSH-2.0-OpenSSH_9.2\r\n"),
        (
            "/short",
            (
                "/short gives no answer: IncompleteRead: IncompleteRead(8 bytes read, 92 more"
                " expected)"
            ),
        ),
    ],
)
def test_a_wrong_answer_is_told_with_what_came(port: int, path: str, message: str) -> None:
    """Path, what was wrong, and an excerpt that fits in a row."""
    assert fault(port, expectation(path)) == message


def test_an_answer_before_the_delay_is_over_is_wrong(port: int) -> None:
    """It cannot have waited: the experiment would measure nothing."""
    told = fault(port, expectation("/early"))
    assert told.startswith("/early answers after ")
    assert told.endswith(" ms, before the delay of 100 ms is over")


def test_an_early_answer_is_right_where_nothing_waits(port: int) -> None:
    """Reading a file has no least time."""
    assert verify(HOST, port, expectation("/early", at_least_s=0.0)) == ANSWERS["/right"][1]


def test_an_answer_that_does_not_come_is_given_up(port: int) -> None:
    """After the patience that comes on top of the delay; a negative one shortens it here."""
    began = time.monotonic()
    assert fault(port, expectation("/hangs", at_least_s=-3.7)) == "/hangs has not answered in 0.3 s"
    assert time.monotonic() - began < 1.0


def test_a_port_that_nobody_listens_on_is_told() -> None:
    """A server that died between ready and verified."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))  # bound, but not listening
        told = fault(taken.getsockname()[1], expectation("/right"))
    assert told.startswith("/right gives no answer: ConnectionRefusedError: ")
