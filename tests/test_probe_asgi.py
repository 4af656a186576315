"""The probe's ASGI wrappers: they count, they tell, and they change nothing."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from app.probe import layout
from app.probe.asgi import Application, watched
from app.probe.gauges import Gauges

if TYPE_CHECKING:
    from pathlib import Path

    from app.probe.asgi import Message, Receive, Scope, Send


@pytest.fixture
def gauges(tmp_path: Path) -> Gauges:
    """A page of no request yet."""
    return Gauges(tmp_path / "gauges-1.bin")


def counters(gauges: Gauges) -> tuple[int, int]:
    """Requests that entered and left."""
    return gauges.words[layout.G_STARTED], gauges.words[layout.G_FINISHED]


async def receive() -> Message:
    """Nothing is to be received."""
    raise NotImplementedError


async def send(_: Message) -> None:
    """Nothing is to be sent."""
    raise NotImplementedError


class Recorder:
    """An application that notes what it was called with, and fails if told to."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note, then fail."""
        self.calls.append((scope, receive, send))
        if self.failure is not None:
            raise self.failure


def call(application: Application, scope: Scope) -> None:
    """One call."""

    async def main() -> None:
        await application(scope, receive, send)

    asyncio.run(main())


def told_once(started: list[str]) -> Any:
    """What notes that the application has started."""
    return lambda: started.append("started")


def test_a_request_is_counted_in_and_out(gauges: Gauges) -> None:
    """The application gets the very same scope, receive and send."""
    recorder, scope = Recorder(), {"type": "http"}
    wrapped = watched(recorder, print, gauges)
    call(wrapped, scope)
    call(wrapped, scope)
    assert counters(gauges) == (2, 2)
    for given in recorder.calls:
        assert given[0] is scope
        assert given[1:] == (receive, send)
    assert scope == {"type": "http"}


@pytest.mark.parametrize("failure", [ValueError("broken"), asyncio.CancelledError()])
def test_a_request_that_fails_is_counted_out_too(gauges: Gauges, failure: BaseException) -> None:
    """Its exception passes through, the same object."""
    with pytest.raises(type(failure)) as caught:
        call(watched(Recorder(failure), print, gauges), {"type": "http"})
    if isinstance(failure, ValueError):
        assert caught.value is failure
    assert counters(gauges) == (1, 1)


def test_the_instants_are_summed_with_the_counts(gauges: Gauges) -> None:
    """So the time that requests were inside is known exactly: what each of them saw, together."""
    inside_ns: list[int] = []

    async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
        entered = time.monotonic_ns()
        await asyncio.sleep(0.01)
        inside_ns.append(time.monotonic_ns() - entered)

    async def main() -> None:
        wrapped = watched(application, print, gauges)
        calls = [asyncio.ensure_future(wrapped({"type": "http"}, receive, send)) for _ in range(5)]
        await asyncio.sleep(0)
        half = time.monotonic_ns() * 5 - gauges.words[layout.G_STARTED_SUM]
        assert 0 < half < 5 * 10_000_000
        await asyncio.gather(*calls)

    asyncio.run(main())
    words = gauges.words
    total = (words[layout.G_FINISHED_SUM] - words[layout.G_STARTED_SUM]) & layout.SUM_MASK
    assert sum(inside_ns) <= total < 1.05 * sum(inside_ns)


def test_sums_go_round(gauges: Gauges, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 2^64 they begin again, and no request fails for it."""
    monkeypatch.setattr(time, "monotonic_ns", lambda: 2**63)
    wrapped = watched(Recorder(), print, gauges)
    for _ in range(3):
        call(wrapped, {"type": "http"})
    assert gauges.words[layout.G_STARTED_SUM] == 2**63
    assert layout.settled(gauges.words.tolist())


def test_what_is_no_request_is_not_counted(gauges: Gauges) -> None:
    """Passed on untouched."""
    recorder, scope = Recorder(), {"type": "websocket"}
    call(watched(recorder, print, gauges), scope)
    assert counters(gauges) == (0, 0)
    ((given, *channels),) = recorder.calls
    assert given is scope
    assert channels == [receive, send]


@pytest.mark.parametrize("kind", ["websocket", "http"])
def test_a_start_is_not_looked_for_in_requests(kind: str) -> None:
    """They are passed on untouched, their exceptions too."""
    started: list[str] = []
    recorder, scope = Recorder(ValueError("broken")), {"type": kind}
    with pytest.raises(ValueError, match="broken"):
        call(watched(recorder, told_once(started), None), scope)
    ((given, *channels),) = recorder.calls
    assert given is scope
    assert channels == [receive, send]
    assert started == []


def lifespan(application: Application, orders: list[str], events: list[str]) -> None:
    """Give an application the orders of a server, noting in ``events`` what it answers."""

    async def main() -> None:
        pending = iter(orders)

        async def order() -> Message:
            return {"type": next(pending)}

        async def answer(message: Message) -> None:
            events.append(message["type"])

        await application({"type": "lifespan"}, order, answer)

    asyncio.run(main())


async def obedient(_: Scope, receive: Receive, send: Send) -> None:
    """An application that starts up and shuts down."""
    for _order in range(2):
        order = await receive()
        await send({"type": f"{order['type']}.complete"})


async def unfit(_: Scope, receive: Receive, send: Send) -> None:
    """An application that can't start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no"})


def test_the_start_is_told_before_the_server_hears_of_it() -> None:
    """Once, after the application's own start-up; all messages pass, the shutdown's too."""
    events: list[str] = []
    orders = ["lifespan.startup", "lifespan.shutdown"]
    lifespan(watched(obedient, told_once(events), None), orders, events)
    assert events == ["started", "lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_an_application_that_fails_to_start_has_not_started() -> None:
    """The server hears of the failure, and no worker reports itself."""
    events: list[str] = []
    lifespan(watched(unfit, told_once(events), None), ["lifespan.startup"], events)
    assert events == ["lifespan.startup.failed"]


def test_the_start_is_told_on_the_loop_within_a_task() -> None:
    """Where the pool's limiter and the heart's timer belong."""
    tasks: list[Any] = []
    events: list[str] = []
    application = watched(obedient, lambda: tasks.append(asyncio.current_task()), None)
    lifespan(application, ["lifespan.startup", "lifespan.shutdown"], events)
    assert len(tasks) == 1
    assert isinstance(tasks[0], asyncio.Task)


@pytest.mark.parametrize(("messages", "answered"), [(2, True), (1, False), (0, False)])
def test_a_request_is_in_an_application_until_its_answer_is_out(
    gauges: Gauges, *, messages: int, answered: bool
) -> None:
    """What it does after that, a background task or a dependency's end, holds up no user."""
    seen: list[tuple[int, int]] = []
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    async def application(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        for number in range(messages):
            more = number + 1 < 2
            await send({"type": "http.response.body", "body": b"x", "more_body": more})
        seen.append(counters(gauges))

    async def main() -> None:
        await watched(application, lambda: None, gauges, works_on=True)(
            {"type": "http"}, receive, keep
        )

    asyncio.run(main())
    assert seen == [(1, 1 if answered else 0)]
    assert counters(gauges) == (1, 1)
    assert len(sent) == messages + 1
