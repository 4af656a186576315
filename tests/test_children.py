"""Child processes: real ones, tiny, and one way down."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bench.run.process.children import Child, Ended, Keeper, Late, group_members, start
from tests.support.processes import gone, within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOON_S = 10.0  # nothing here takes long, but the machine may be busy

TELL = """
import json, os
def tell(**told):
    os.write(int(os.environ["MATRIX_EVENTS_FD"]), (json.dumps(told) + "\\n").encode())
"""
DEAF = """
import json, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(json.dumps({"event": "deaf"}), flush=True)
time.sleep(60)
"""
# Its own child stays in the group, and does not hear SIGTERM either.
MASTER = f"""
import json, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", {DEAF!r}], stdout=subprocess.PIPE)
worker.stdout.readline()
print(json.dumps({{"event": "up", "worker": worker.pid}}), flush=True)
time.sleep(60)
"""

Run = Any  # start() with all but the program filled in


def open_files() -> set[tuple[int, int]]:
    """What this process has open, each by its number and inode.

    What earlier tests left in cycles may be closed at any moment: only what is new counts.
    """
    found = set()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - pathlib has no cheaper way
        with contextlib.suppress(OSError):  # the listing's own is gone
            found.add((int(name), os.fstat(int(name)).st_ino))
    return found


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A keeper, let go at the end."""
    made = Keeper()
    yield made
    made.close()


@pytest.fixture
def run(keeper: Keeper, tmp_path: Path) -> Iterator[Run]:
    """Starts Python programs, and stops them whatever the test does."""
    started: list[Child] = []

    def run_program(source: str, tells: str = "nothing", name: str = "child") -> Child:
        child = start(
            name,
            [sys.executable, "-c", source],
            keeper=keeper,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "GIVEN": "yes"},
            log=tmp_path / "child.log",
            tells=tells,
        )
        started.append(child)
        return child

    yield run_program
    for child in started:
        child.stop(0)


def test_a_child_leads_a_group_and_a_session_of_its_own(run: Run) -> None:
    """Neither Ctrl-C in the terminal nor a kill of our group reaches it."""
    child = run("import time; time.sleep(60)")
    assert os.getpgid(child.pid) == child.pid != os.getpgid(0)
    assert os.getsid(child.pid) == child.pid != os.getsid(0)
    assert child.exit_code() is None


def test_the_child_sees_its_folder_and_only_the_environment_it_was_given(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of ours leaks in: no secret, no setting."""
    monkeypatch.setenv("SECRET", "hunter2")
    source = (
        "import json, os; print(json.dumps("
        "{'cwd': os.getcwd(), 'given': os.environ['GIVEN'], 'secret': 'SECRET' in os.environ}))"
    )
    told = run(source, tells="stdout").event(SOON_S)
    assert told == {"cwd": str(tmp_path.resolve()), "given": "yes", "secret": False}


def test_both_its_outputs_are_appended_to_the_log(run: Run) -> None:
    """What an earlier child wrote stays."""
    for word in ("first", "second"):
        child = run(
            "import sys, os\n"
            f"print('{word} out', flush=True); print('{word} error', file=sys.stderr)"
        )
        assert within(SOON_S, lambda c=child: c.exit_code() == 0)  # type: ignore[misc]
    assert child.log.read_text() == "first out\nfirst error\nsecond out\nsecond error\n"


def test_the_log_tail_is_the_last_lines_that_say_something(run: Run) -> None:
    """Blank lines are left out, and bytes that are no UTF-8 do not matter."""
    child = run("import os\nos.write(1, b'one\\ntwo\\n\\n \\nthr\\xffee\\n')")
    assert within(SOON_S, lambda: child.exit_code() == 0)
    assert child.log_tail(2) == "two\nthr\ufffdee"
    child.log.unlink()
    assert not child.log_tail()


def test_events_come_by_stdout_one_at_a_time(run: Run) -> None:
    """Two lines in one write are two events; what is not told stays out of the log."""
    child = run(r"""import os; os.write(1, b'{"n": 1}\n{"n": 2}\n')""", tells="stdout")
    assert [child.event(SOON_S), child.event(SOON_S)] == [{"n": 1}, {"n": 2}]
    assert not child.log.read_text()


def test_an_event_may_come_in_pieces(run: Run) -> None:
    """A line is complete only with its end, however many writes it takes."""
    source = (
        "import os, time\n"
        "os.write(1, b'{\"event\": '); time.sleep(0.1); os.write(1, b'\"whole\"}\\n')"
    )
    assert run(source, tells="stdout").event(SOON_S) == {"event": "whole"}


def test_events_come_by_pipe_while_stdout_goes_to_the_log(run: Run) -> None:
    """A child that chats on stdout can still tell."""
    child = run(f"{TELL}\nprint('chat', flush=True)\ntell(event='up')", tells="pipe")
    assert child.event(SOON_S) == {"event": "up"}
    assert within(SOON_S, lambda: child.exit_code() == 0)
    assert child.log_tail() == "chat"


def test_a_child_waits_at_its_gate_until_it_is_opened(run: Run) -> None:
    """The harness decides when the load begins."""
    child = run(
        f"{TELL}\ntell(event='waiting')\n"
        "os.read(int(os.environ['MATRIX_GATE_FD']), 1)\ntell(event='through')",
        tells="pipe",
    )
    assert child.event(SOON_S) == {"event": "waiting"}
    with pytest.raises(Late):
        child.event(0.2)
    child.say(b"1")
    assert child.event(SOON_S) == {"event": "through"}


def test_silence_until_the_deadline_is_late(run: Run) -> None:
    """It says who was silent for how long, and takes that long."""
    child = run("import time; time.sleep(60)", tells="pipe", name="generator")
    began = time.monotonic()
    with pytest.raises(Late, match=r"^generator said nothing for 0\.2 s$"):
        child.event(0.2)
    assert 0.2 <= time.monotonic() - began < 2.0


def test_half_a_line_is_late_too(run: Run) -> None:
    """A child that stops in the middle of a line does not hold up the harness."""
    child = run("import os, time; os.write(1, b'{'); time.sleep(60)", tells="stdout")
    with pytest.raises(Late):
        child.event(0.5)


@pytest.mark.parametrize("tells", ["stdout", "pipe"])
def test_a_child_that_ends_is_ended_and_not_late(run: Run, tells: str) -> None:
    """Its end is noticed at once, by either way of telling."""
    began = time.monotonic()
    with pytest.raises(Ended, match=r"^delay server ended$"):
        run("raise SystemExit(3)", tells=tells, name="delay server").event(60)
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("line", ["Traceback:", "[1]", "3", '"up"', "{", ""])
def test_a_line_that_is_no_json_object_ends_the_wait(run: Run, line: str) -> None:
    """It is quoted, so a person sees what came instead."""
    child = run(f"print({line!r}, flush=True); import time; time.sleep(60)", tells="stdout")
    with pytest.raises(Ended) as caught:
        child.event(SOON_S)
    assert str(caught.value) == f"child said {line.encode()!r}, which is no JSON object"


def test_stop_terminates_first(run: Run) -> None:
    """A child that hears SIGTERM may put things in order."""
    child = run(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit('tidy'))\n"
        """print('{"event": "up"}', flush=True)\n"""
        "time.sleep(60)",
        tells="stdout",
    )
    child.event(SOON_S)
    child.stop(SOON_S)
    assert (child.exit_code(), child.log_tail()) == (1, "tidy")


def test_stop_kills_what_ignores_sigterm_when_the_grace_is_over(run: Run) -> None:
    """A blocked server delays nobody for longer than it was given."""
    child = run(DEAF, tells="stdout")
    child.event(SOON_S)
    began = time.monotonic()
    child.stop(0.3)
    assert 0.3 <= time.monotonic() - began < 2.0
    assert child.exit_code() == -signal.SIGKILL


def test_stop_without_grace_kills_at_once(run: Run) -> None:
    """SIGTERM is not even sent."""
    child = run("import time; time.sleep(60)")
    child.stop(0)
    assert child.exit_code() == -signal.SIGKILL


def test_stop_kills_workers_that_outlive_their_master(run: Run) -> None:
    """The master ends at SIGTERM, its deaf worker with the group."""
    child = run(MASTER, tells="stdout")
    worker = child.event(SOON_S)["worker"]
    child.stop(SOON_S)
    assert child.exit_code() == -signal.SIGTERM
    assert gone(worker)
    assert not group_members(child.pid)


def test_stop_kills_workers_of_a_master_that_was_dead_before(run: Run) -> None:
    """A crash of the master leaves nothing behind either."""
    child = run(MASTER, tells="stdout")
    worker = child.event(SOON_S)["worker"]
    os.kill(child.pid, signal.SIGKILL)
    assert within(SOON_S, lambda: child.exit_code() is not None)
    assert not gone(worker)
    child.stop(SOON_S)
    assert gone(worker)


def test_stop_twice_is_stop_once(run: Run) -> None:
    """The second does nothing, above all not to whoever has the process id by then."""
    child = run("import time; time.sleep(60)", tells="pipe")
    child.stop(0)
    others = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]  # these get its numbers
    try:
        child.stop(SOON_S)
        for other in others:
            os.fstat(other)
    finally:
        for other in others:
            os.close(other)


def test_stop_reaps(run: Run) -> None:
    """No zombie stays."""
    child = run("pass")
    child.stop(SOON_S)
    assert not psutil.pid_exists(child.pid)


@pytest.mark.parametrize("tells", ["nothing", "stdout", "pipe"])
def test_stop_closes_every_file(run: Run, tells: str) -> None:
    """500 trials need no more open files than one."""
    before = open_files()
    child = run("import time; time.sleep(60)", tells=tells)
    assert len(open_files() - before) == {"nothing": 0, "stdout": 1, "pipe": 2}[tells]
    child.stop(0)
    assert open_files() <= before


@pytest.mark.parametrize("tells", ["nothing", "stdout", "pipe"])
@pytest.mark.parametrize("missing", ["program", "folder", "log"])
def test_what_cannot_be_started_is_an_os_error_and_leaves_no_file_open(
    keeper: Keeper, tmp_path: Path, tells: str, missing: str
) -> None:
    """A program, a folder or a place for the log that is not there."""
    nowhere = tmp_path / "nowhere"
    before = open_files()
    with pytest.raises(OSError, match="nowhere"):
        start(
            "server",
            [nowhere if missing == "program" else sys.executable, "-c", "pass"],
            keeper=keeper,
            cwd=nowhere if missing == "folder" else tmp_path,
            env={},
            log=(nowhere if missing == "log" else tmp_path) / "log",
            tells=tells,
        )
    assert open_files() <= before


def test_a_child_gets_no_files_but_its_own(run: Run) -> None:
    """Else a pipe would stay open in a stranger, and its end would never be seen."""
    run("import time; time.sleep(60)", tells="pipe")
    source = "import json, os; print(json.dumps({'fds': sorted(map(int, os.listdir('/dev/fd')))}))"
    told = run(source, tells="stdout").event(SOON_S)
    # The three standard ones, and the one that listing the folder takes.
    assert told["fds"][:3] == [0, 1, 2]
    assert len(told["fds"]) == 4


def test_group_members_are_those_alive_in_the_group(run: Run) -> None:
    """Workers count, we and zombies don't."""
    child = run(MASTER, tells="stdout")
    worker = child.event(SOON_S)["worker"]
    assert set(group_members(child.pid)) == {child.pid, worker}
    with subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert group_members(ended.pid) == []
