"""What stacks say, in one sentence, and as a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from bench.profile import flame
from bench.profile.command import tell
from bench.profile.record import Profile
from bench.profile.stacks import Stack, idle, of_loop, parse, sentence, waits, working
from bench.profile.told import sentences
from tests.support.records import run

if TYPE_CHECKING:
    from pathlib import Path

SITE = "/venv/lib/python3.12/site-packages"
MAIN = 'thread (0x7F01): "MainThread"'
SERVE = f"<module> (/venv/bin/uvicorn);run (/usr/lib/python3.12/asyncio/runners.py);run_asgi ({SITE}/uvicorn/protocols/http/httptools_impl.py)"  # noqa: E501
HANDLE = f"{SERVE};app ({SITE}/starlette/routing.py);quote (/shop/main.py)"
POOL = f"{SITE}/httpcore/_async/connection_pool.py"


def line(stack: str, count: int, thread: str = MAIN) -> str:
    """As py-spy writes it."""
    return f"{thread};{stack} {count}"


def busy() -> list[Stack]:
    """A pool that is searched, and searched again: as measured."""
    return parse(
        "\n".join(
            [
                line(f"{HANDLE};assign ({POOL})", 33),
                line(f"{HANDLE};assign ({POOL});has_expired ({SITE}/httpcore/http11.py)", 50),
                line(f"{HANDLE};loads (/usr/lib/python3.12/json/__init__.py)", 10),
                line(SERVE, 7),
            ]
        )
    )


def test_lines_are_read() -> None:
    """With thread and count; what is none is left out."""
    (first, *_) = found = busy()
    assert (first.thread, first.count, len(found)) == ("MainThread", 33, 4)
    assert first.frames[-1].named() == "httpcore's `assign` (connection_pool.py)"
    assert first.frames[-2].named() == "`quote` (main.py)"
    assert found[2].frames[-1].named() == "Python's `loads` (__init__.py)"
    assert parse("\nno count\nno frames 12\n;;; 3\n") == []
    assert parse("thread (18703): pool-1;f (/a b/c;d.py) 4") == parse("")
    assert parse("process 12:main;f (/x.py) 4")[0].frames[0].function == "f"


def test_the_function_that_half_is_in_is_named_with_its_caller() -> None:
    """And not the server or the framework around it."""
    assert sentence(busy(), "the server's CPU") == (
        "83% of the server's CPU is in httpcore's `assign` (connection_pool.py),"
        " 50% in httpcore's `has_expired` (http11.py)"
    )


def test_what_nothing_has_half_of_is_told_by_library() -> None:
    """With the largest function of each."""
    parts = [("a", "pydantic"), ("b", "pydantic"), ("c", "starlette"), ("d", "jinja2")]
    lines = [
        line(f"{SERVE};{name} ({SITE}/{library}/x.py)", 30 + 10 * (name == "b"))
        for name, library in parts
    ]
    assert sentence(parse("\n".join(lines)), "the server's CPU") == (
        "no function has half of the server's CPU: 54% pydantic (most: `b`),"
        " 23% starlette (most: `c`), 23% jinja2 (most: `d`)"
    )
    assert sentence(busy()[3:], "the server's CPU") is None  # too few samples


@pytest.mark.parametrize(
    ("frames", "waiting"),
    [
        ("f (/a.py);lock_acquire (_threadmodule.c);pthread_cond_timedwait (/lib/libc.so.6)", True),
        (
            "f (/a.py);sock_recv (socketmodule.c);recv (/lib/libc.so.6);0x7f12 (/lib/libc.so.6)",
            True,
        ),
        ("f (/a.py);take_gil (ceval_gil.c);0x7f12 (/lib/libc.so.6)", True),
        ("f (/a.py);sha256_block (/lib/libcrypto.so.3)", False),
        ("f (/a.py);0x7f12 (/lib/libcrypto.so.3)", False),
        ("f (/a.py)", False),
        ("f (/a.py);get (/usr/lib/python3.12/queue.py);Condition.wait (/x/threading.py)", True),
        ("get (/shop/views.py)", False),
    ],
)
def test_threads_that_wait_are_told_by_what_they_call(frames: str, waiting: bool) -> None:  # noqa: FBT001
    """In C where that is seen, else in Python."""
    (stack,) = parse(line(frames, 5, "thread (0x1): pool"))
    assert idle(stack) is waiting
    assert bool(working([stack])) is not waiting
    assert all(not frame.native for one in working([stack]) for frame in one.frames)


def test_a_blocking_call_on_the_loop_is_told_before_the_cpu() -> None:
    """The loop's thread is held up, and nothing computes."""
    held = f"{HANDLE};_from_the_exchange (/shop/main.py)"
    waiting = "run (/usr/lib/python3.12/asyncio/runners.py)"
    looks = parse("\n".join([line(held, 480), line(waiting, 20)]))
    told = tell(Profile(cpu=parse(line(held, 3)), all=looks))
    assert told.sentence == (
        "the loop is held up 96% of the time, mostly without CPU; 100% of the time that the loop"
        " is held up is in `_from_the_exchange` (main.py)"
    )
    assert [waits(stack) for stack in of_loop(looks)] == [False, True]
    # Threads that compete for the interpreter hold the loop up, too: then it is the CPU.
    told = tell(Profile(cpu=busy() * 2, all=parse(line(held, 400))))
    assert told.sentence.startswith("83% of the server's CPU")
    told = tell(Profile(cpu=[], all=parse(line(waiting, 500))))
    assert told.sentence == "the server hardly ever computes: 0 samples in which it did"


def test_the_flame_graph_is_well_formed_whatever_functions_are_called() -> None:
    """Boxes lie within their callers, and names are escaped."""
    hostile = parse(line('<lambda> (/a<b>&".py);f"\'<script> (/x.py)', 60))
    root = ET.fromstring(flame.svg([*busy(), *hostile], "a & b"))  # noqa: S314 - our own
    boxes = [box for box in root.iter("{http://www.w3.org/2000/svg}rect") if box.get("x")]
    assert len(boxes) >= 8
    assert all(float(box.get("x", "")) + float(box.get("width", "")) <= 1200.1 for box in boxes)
    assert "<script>" not in flame.svg(hostile, "")
    assert flame.svg(busy(), "x") == flame.svg(busy(), "x")


def test_the_same_for_speedscope() -> None:
    """Each sample's frames are of the shared list."""
    found = json.loads(flame.speedscope(busy(), "x"))
    (profile,) = found["profiles"]
    assert profile["endValue"] == sum(profile["weights"]) == 100
    frames = found["shared"]["frames"]
    assert frames[profile["samples"][0][-1]]["name"] == "assign"


def test_a_profile_is_told_of_runs_of_the_same_application_and_users(tmp_path: Path) -> None:
    """Of others, and of damaged files, it says nothing."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    about = run()
    sources = {k: v for k, v in about.sources.items() if k.startswith("application (")}
    users = about.profile.users
    right = {"schema": 1, "cell": "a", "sentence": "f", "sources": sources, "users": users}
    wrong = [
        right | {"cell": "b", "users": users + 1},
        right | {"cell": "c", "sources": {"application (app/)": "another"}},
        right | {"cell": "d", "schema": 2},
        [],
    ]
    for number, one in enumerate([right, *wrong]):
        (folder / f"{number}.json").write_text(json.dumps(one), encoding="utf-8")
    (folder / "broken.json").write_text("{", encoding="utf-8")
    assert sentences(tmp_path, about) == {"a": "f"}
    assert sentences(tmp_path / "nowhere", about) == {}
