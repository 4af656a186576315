"""Stacks as py-spy's raw format has them, and what they say, in one sentence. Pure.

A line is ``thread (0x7f…): MainThread;outermost (file:line);…;innermost (file:line) count``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>.*?)(?::(?P<line>\d+))?\)$")
_LIBRARY = re.compile(r"(?:site|dist)-packages/(?P<name>[^/]+)")
_PYTHON = re.compile(r"^<frozen|/lib/python3\.\d+/")
MOST = 0.5  # of all samples, for one function to be what took the time
SCAFFOLD = 0.95  # what nearly every stack of a thread goes through says nothing,
ITSELF = 0.2  # unless as many stand in it and in nothing below
LISTED = 3
FEWEST = 50  # samples
# Of these nearly every function stands around what the application does.
PROBE = "the probe"
AROUND = {
    *(PROBE, "fastapi", "starlette", "uvicorn", "gunicorn", "hypercorn", "anyio", "click", "uvloop")
}
# Of what a thread calls while it waits for work: py-spy takes some of it for work.
_IDLE = re.compile(r"(?:^|\.)(?:wait|wait_for|acquire|join|get|select|poll|accept)$")
_IDLE_FILES = ("/threading.py", "/queue.py", "/selectors.py", "/socket.py")
# The same in C, where names are known: waits of the system, of locks, of the interpreter's.
_BLOCKS = re.compile(
    r"_*(?:p?poll|p?select|epoll_p?wait\d?|recv(?:from|msg)?|accept4?|(?:clock_)?nanosleep|read"
    r"|futex\w*|sem_\w*wait\w*|pthread_(?:cond|mutex)\w*|PyThread_acquire_lock\w*|take_gil)$"
)
_unnamed = re.compile(r"0x[0-9a-f]+$").match
# Where a loop's thread stands while it has nothing to do.
_WAITS = ("selectors.py", "asyncio/runners.py", "asyncio/base_events.py", "uvloop/__init__.py")


@dataclass(frozen=True, slots=True)
class Frame:
    """A function, wherever in it the sample was."""

    function: str
    file: str

    @property
    def library(self) -> str | None:
        """`httpcore`, `Python`; None of the application's own files."""
        if "/app/probe/" in self.file or self.file.endswith("/app/foreign/matrix_target.py"):
            return PROBE
        if found := _LIBRARY.search(self.file):
            return found["name"].removesuffix(".py")
        return "Python" if _PYTHON.search(self.file) else None

    @property
    def native(self) -> bool:
        """In C, and not in Python."""
        return not (self.file.endswith((".py", ".pyw")) or self.file.startswith("<"))

    def named(self) -> str:
        """`httpcore's has_expired (http11.py)`, `list_items (main.py)`."""
        file = PurePosixPath(self.file).name
        owner = "" if self.library is None else f"{self.library}'s "
        return f"{owner}`{self.function}` ({file})"


@dataclass(frozen=True, slots=True)
class Stack:
    """Outermost first; ``thread`` is its name, ``count`` how many samples were so."""

    thread: str
    frames: tuple[Frame, ...]
    count: int


def parse(text: str) -> list[Stack]:
    """What py-spy wrote; lines that are none of its are left out."""
    found = []
    for line in text.splitlines():
        body, _, count = line.rpartition(" ")
        if not count.isdigit() or not body:
            continue
        parts = body.split(";")
        thread = ""
        while parts and parts[0].startswith(("thread ", "process ")):
            thread = parts.pop(0).partition(": ")[2].strip('"')
        frames = tuple(frame for part in parts if (frame := _frame(part)) is not None)
        if frames:
            found.append(Stack(thread, frames, int(count)))
    return found


def _frame(part: str) -> Frame | None:
    match = _FRAME.match(part)
    return None if match is None else Frame(match["function"], match["file"])


def share(stacks: Iterable[Stack], chosen: Callable[[Stack], bool]) -> float:
    """Of the samples, 0 to 1."""
    total = chosen_count = 0
    for stack in stacks:
        total += stack.count
        chosen_count += stack.count if chosen(stack) else 0
    return chosen_count / total if total else 0.0


def of_loop(stacks: Sequence[Stack]) -> list[Stack]:
    """Of the thread that the event loop runs on: the main one of each worker."""
    return [stack for stack in stacks if stack.thread == "MainThread"]


def waits(stack: Stack) -> bool:
    """The loop has nothing to do."""
    return stack.frames[-1].file.endswith(_WAITS) or (
        stack.frames[-1].function in {"select", "poll", "epoll"}
    )


def idle(stack: Stack) -> bool:
    """A thread that waits: for work, for an answer, or for the interpreter.

    Told by what it calls in C, if py-spy has seen that; else by the function that calls it. A
    thread that has just been stopped to be looked at counts as running on some systems, so a pool
    of 40 that wait would outnumber the one that works.
    """
    inner = stack.frames[-1]
    if inner.native:
        named = (frame.function for frame in reversed(stack.frames) if not _unnamed(frame.function))
        return _BLOCKS.match(next(named, "")) is not None
    return inner.file.endswith(_IDLE_FILES) and _IDLE.search(inner.function) is not None


def working(stacks: Iterable[Stack]) -> list[Stack]:
    """Those of threads that don't wait, as Python's own frames alone."""
    found = []
    for stack in stacks:
        frames = tuple(frame for frame in stack.frames if not frame.native)
        if frames and not idle(stack):
            found.append(replace(stack, frames=frames))
    return found


def sentence(stacks: Sequence[Stack], what: str) -> str | None:
    """`83% of the server's CPU is in httpcore's `f` (a.py), 50% in httpcore's `g` (b.py)`.

    The innermost function that at least half of the samples are in, and who calls it, if more of
    them are in that one. Where no function has half, the libraries that have most.

    Args:
        stacks: of what is told.
        what: `the server's CPU`, of which shares are.

    Returns:
        None of too few samples.
    """
    total = sum(stack.count for stack in stacks)
    if total < FEWEST:
        return None
    inclusive: Counter[Frame] = Counter()
    itself: Counter[Frame] = Counter()
    depth: dict[Frame, int] = {}
    roots: Counter[Frame] = Counter()
    below: dict[Frame, set[Frame]] = {}  # which roots a function is called from
    for stack in stacks:
        itself[stack.frames[-1]] += stack.count
        roots[stack.frames[0]] += stack.count
        for frame in set(stack.frames):
            inclusive[frame] += stack.count
            below.setdefault(frame, set()).add(stack.frames[0])
        for at, frame in enumerate(stack.frames):
            depth[frame] = max(depth.get(frame, 0), at)
    half = [
        frame
        for frame, count in inclusive.items()
        if count >= MOST * total
        and (
            itself[frame] >= ITSELF * total
            or (
                count < SCAFFOLD * sum(roots[root] for root in below[frame])
                and frame.library not in AROUND
                and not frame.file.endswith(_WAITS)
            )
        )
    ]
    if not half:
        return _spread(stacks, total, what)
    inner = min(half, key=lambda frame: (inclusive[frame], -depth[frame]))
    told = f"{inclusive[inner] / total:.0%} of {what} is in {inner.named()}"
    outer = _caller(stacks, inner)
    if outer is not None and inclusive[inner] * 1.1 < inclusive[outer] < SCAFFOLD * total:
        told = f"{inclusive[outer] / total:.0%} of {what} is in {outer.named()}"
        told += f", {inclusive[inner] / total:.0%} in {inner.named()}"
        return told
    callee = _callee(stacks, inner)
    if callee is not None and callee[1] / total >= 0.1:
        told += f", {callee[1] / total:.0%} in {callee[0].named()} below it"
    return told


def _caller(stacks: Sequence[Stack], inner: Frame) -> Frame | None:
    callers: Counter[Frame] = Counter()
    for stack in stacks:
        if inner in stack.frames and (at := stack.frames.index(inner)):
            callers[stack.frames[at - 1]] += stack.count
    return callers.most_common(1)[0][0] if callers else None


def _callee(stacks: Sequence[Stack], outer: Frame) -> tuple[Frame, int] | None:
    callees: Counter[Frame] = Counter()
    for stack in stacks:
        if outer in stack.frames:
            for frame in set(stack.frames[stack.frames.index(outer) + 1 :]) - {outer}:
                callees[frame] += stack.count
    return callees.most_common(1)[0] if callees else None


def _spread(stacks: Sequence[Stack], total: int, what: str) -> str:
    """By whose code the samples are in, with its largest function."""
    owners: Counter[str] = Counter()
    largest: dict[str, Counter[Frame]] = {}
    for stack in stacks:
        frame = stack.frames[-1]
        owner = frame.library or "the application's own code"
        owners[owner] += stack.count
        largest.setdefault(owner, Counter())[frame] += stack.count
    parts = []
    for owner, count in owners.most_common(LISTED):
        function = largest[owner].most_common(1)[0][0].function
        parts.append(f"{count / total:.0%} {owner} (most: `{function}`)")
    return f"no function has half of {what}: {', '.join(parts)}"
