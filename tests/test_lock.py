"""One run at a time on a machine, with real processes: who is refused, who takes over."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.errors import RequirementError
from bench.run.process import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path("/a/checkout")

# A run in a process of its own, and a child of it that outlives it.
RUN = """
import os, subprocess, sys
from pathlib import Path
from bench.run.process import lock
if sys.argv[1] == "as nobody":
    os.setuid(65534)
with lock.hold("matrix", Path("/another/checkout")):
    child = subprocess.Popen(["/bin/cat"], stdout=subprocess.DEVNULL)
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the lock is."""
    path = tmp_path / "lock"
    monkeypatch.setenv("MATRIX_LOCK", str(path))
    return path


@contextlib.contextmanager
def running(user: str = "") -> Iterator[subprocess.Popen[str]]:
    """Another run that measures, until its standard input closes."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN, user],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert run.stdout.readline() == f"{run.pid}\n"
        yield run


def refusal() -> str:
    """What a run is told that must not start."""
    with pytest.raises(RequirementError) as caught, lock.hold("single", FOLDER):
        pass
    return str(caught.value)


@pytest.mark.usefixtures("path")
def test_a_second_run_is_refused_with_who_measures() -> None:
    """Command, folder, process and time; when the first has ended it may start."""
    with running() as first:
        told = refusal()
        assert re.fullmatch(
            r"Another run is measuring on this machine: `matrix` in /another/checkout,"
            rf" process {first.pid}, since \d\d:\d\d:\d\d\. Two would spoil each other's numbers:"
            rf" wait for it, or end it with `kill {first.pid}`\.",
            told,
        )
        assert f"process {first.pid}," in str(lock.seen())
    assert lock.seen() is None
    with lock.hold("single", FOLDER):
        pass


def test_a_killed_run_holds_nothing(path: Path) -> None:
    """What it wrote is still there, and its child still runs: neither is a reason to refuse."""
    with running() as first:
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=10)
        assert json.loads(path.read_text("utf-8"))["pid"] == first.pid
        with lock.hold("single", FOLDER):
            assert json.loads(path.read_text("utf-8"))["pid"] == os.getpid()


def test_a_run_that_ends_leaves_no_word_of_itself(path: Path) -> None:
    """Also when it failed; the file stays, as another may have opened it."""
    with pytest.raises(KeyboardInterrupt), lock.hold("single", FOLDER):
        raise KeyboardInterrupt
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"command": "mat',
        b"\xff\xfe",
        b"[]",
        b'{"command": "matrix", "folder": "/", "pid": 0}',
    ],
)
def test_a_holder_that_cannot_be_read_still_holds(path: Path, content: bytes) -> None:
    """Half written, or by something else: the refusal says how to find out."""
    with running():
        path.write_bytes(content)
        assert refusal() == (
            f"Another run is measuring on this machine, and {path} doesn't say which."
            f" Two would spoil each other's numbers: wait for it, or find it with `lsof {path}`."
        )
        assert lock.seen() == f"a run that {path} doesn't name"


def test_a_dead_process_is_not_named(path: Path) -> None:
    """Its holder may not have been able to write: nobody is told to kill the wrong one."""
    with running() as first:
        named = json.loads(path.read_text("utf-8"))
        with subprocess.Popen([sys.executable, "-c", ""]) as dead:
            dead.wait(timeout=10)
        path.write_text(json.dumps({**named, "pid": dead.pid}), "utf-8")
        assert "doesn't say which" in refusal()
        assert str(first.pid) not in refusal()


def test_what_the_file_says_cannot_move_the_cursor(path: Path) -> None:
    """Anybody may write into it."""
    with running():
        named = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**named, "folder": "/a\x1b[2J\nb"}), "utf-8")
        assert "in /a [2J b, process" in refusal()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("link", "it is a symbolic link"),
        ("dangling", "it is a symbolic link"),
        ("second name", "it is no plain file of its own"),
        ("pipe", "it is no plain file of its own"),
        ("folder", "Is a directory"),
    ],
)
def test_what_else_is_in_its_place_is_refused(path: Path, what: str, why: str) -> None:
    """It is neither followed, nor written to, nor waited for."""
    target = path.with_name("precious")
    target.write_text("precious", "utf-8")
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "second name":
        path.hardlink_to(target)
    else:
        path.symlink_to(target if what == "link" else "nowhere")
    assert refusal() == (
        f"{path} keeps two runs from measuring at once, but can't be used: {why}."
        " Remove it, or ask whoever made it to."
    )
    assert target.read_text("utf-8") == "precious"
    with pytest.raises(RequirementError, match="can't be used"):
        lock.seen()


def test_every_user_may_say_who_it_is(path: Path) -> None:
    """Whatever the umask of the first one was."""
    before = os.umask(0o077)
    try:
        with lock.hold("single", FOLDER):
            assert path.stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)


def test_a_file_that_can_only_be_read_locks_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by another user, say; then nobody can be named."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own is closed to other users
        Path(name).chmod(0o1777)
        path = Path(name) / "lock"
        path.touch()
        path.chmod(0o444)
        monkeypatch.setenv("MATRIX_LOCK", str(path))
        with running("as nobody" if os.geteuid() == 0 else ""):
            assert "doesn't say which" in refusal()
        assert path.read_bytes() == b""
