"""What runs on a load machine, and what is sent there: the parts that need no machine."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bench.config import Machine
from bench.doctor import machines as looks
from bench.doctor.check import Fitness
from bench.run.away import station
from locustfiles import away
from tests.support.processes import gone, within

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
UNREACHED = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip."
    "urllib3.connection.HTTPSConnection object at 0x7fd69f1d16d0>: Failed to establish a new"
    " connection: [Errno -3] Temporary failure in name resolution')': /simple/bidict/\n"
    "ERROR: Could not find a version that satisfies the requirement bidict==0.24.1\n"
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            UNREACHED,
            (
                "it reaches no package index ([Errno -3]"
                " Temporary failure in name resolution): give it one (pip's own settings are"
                " heeded), for the first time alone"
            ),
        ),
        (
            "The environment was not created successfully because ensurepip is not available.\n",
            "its Python makes no environments: install python3-venv there",
        ),
        ("Collecting x\nERROR: No matching distribution for x\n",
         "could not install: ERROR: No matching distribution for x"),
        ("one\ntwo\nthree\n", "could not install: two three"),
    ],
)  # fmt: skip
def test_why_there_is_no_environment(said: str, told: str) -> None:
    """One line for a person."""
    assert away.why("install", said) == told


def test_the_load_part_is_what_the_generator_needs(tmp_path: Path) -> None:
    """Of this checkout as it stands; locustfiles of one's own beside it, each by itself."""
    own = tmp_path / "shop" / "users.py"
    own.parent.mkdir()
    own.write_text("USERS = 1\n", encoding="utf-8")
    part = station.load_part(ROOT, [str(own)])
    with tarfile.open(fileobj=io.BytesIO(part.packed)) as archive:
        names = set(archive.getnames())
    assert {"locustfiles/users.py", "requirements/load.txt", "theirs/0/users.py"} <= names
    assert not [name for name in names if name.startswith(("bench", "app", "/"))]
    assert part.theirs == {str(own): "theirs/0/users.py"}
    assert station.load_part(ROOT, [str(own)]).digest == part.digest
    own.write_text("USERS = 2\n", encoding="utf-8")
    assert station.load_part(ROOT, [str(own)]).digest != part.digest


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "locustfiles/../../out.py"])
def test_no_load_part_writes_elsewhere(tmp_path: Path, name: str) -> None:
    """It comes over ssh, and still."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    home = tmp_path / "cache"
    home.mkdir()
    with pytest.raises(away.Trouble, match="no file of it"):
        away.unpacked(home, "abc", buffer.getvalue())
    assert [*home.iterdir()] == []


class Running:
    """``away.py run`` as ssh would run it, with a program in locust's place."""

    def __init__(self, code: str, folder: Path, seconds: float = 30) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "locustfiles" / "away.py"), "run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(folder), "MATRIX_SECRET": "not for it"},
            start_new_session=True,
        )
        asked = {"argv": ["-c", code], "environment": {"SAID": "yes"}, "seconds": seconds}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()

    def child(self) -> psutil.Process:
        """What it runs."""
        mine = psutil.Process(self.process.pid)
        assert within(10, lambda: bool(mine.children()))
        return mine.children()[0]

    def close(self) -> None:
        """Let it go."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Short, and looked at."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_it_gives_its_process_a_folder_and_few_variables(temporary: Path) -> None:
    """And leaves nothing of it."""
    code = (
        "import os, pathlib, sys; folder = pathlib.Path(os.environ['MATRIX_TRIAL_DIR']);"
        "(folder / 'x').write_text('x'); print(os.environ.get('SAID'),"
        " 'MATRIX_SECRET' in os.environ, folder.parent == pathlib.Path("
        "os.environ['TMPDIR']), file=sys.stderr); sys.exit(7)"
    )
    run = Running(code, temporary)
    assert run.process.wait(20) == 7
    assert run.process.stderr is not None
    assert run.process.stderr.read().split() == [b"yes", b"False", b"True"]
    run.close()
    assert [*temporary.iterdir()] == []


@pytest.mark.parametrize("how", ["line", "term", "kill", "time"])
def test_whatever_ends_it_ends_what_it_has_started(temporary: Path, how: str) -> None:
    """The line, a signal, its own death, the time it was given."""
    code = "import time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    run = Running(code, temporary, seconds=1 if how == "time" else 30)
    try:
        child = run.child()
        assert run.process.stdin is not None
        if how == "line":
            run.process.stdin.close()
        elif how == "term":
            run.process.send_signal(signal.SIGTERM)
        elif how == "kill":
            run.process.kill()
        assert within(5, lambda: gone(child.pid))
    finally:
        run.close()
    if how != "kill":
        assert [*temporary.iterdir()] == []


def test_a_machine_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """As long as that gives signs of life."""
    environment = {**os.environ, "MATRIX_HELD": str(tmp_path)}
    command = [sys.executable, str(ROOT / "locustfiles" / "away.py"), "hold"]

    def hold() -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        assert started.stdin is not None
        started.stdin.write(b"{}\n")
        started.stdin.flush()
        return started

    def told(started: subprocess.Popen[bytes]) -> dict[str, Any]:
        assert started.stdout is not None
        found: dict[str, Any] = json.loads(started.stdout.readline())
        return found

    def let_go(started: subprocess.Popen[bytes]) -> int:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.close()
        status = started.wait(5)
        started.stdout.close()
        return status

    first = hold()
    assert told(first) == {"event": "held"}
    other = hold()
    assert told(other) == {"event": "trouble", "told": "another run uses it"}
    assert let_go(other) == away.IN_USE
    assert let_go(first) == 0
    again = hold()
    assert told(again) == {"event": "held"}
    assert let_go(again) == 0


ABOUT = {"python": "3.12.4", "cores": 4, "cpu": "A CPU"}


def found(round_trip_ms: float) -> station.Station:
    """A machine that is ready."""
    unused: Any = None
    return station.Station(
        "load machine 1", "load1", (), "", "", ABOUT, round_trip_ms, unused, unused
    )


def test_what_the_doctor_says_of_a_machine() -> None:
    """Good, or what it means for the numbers."""
    good = looks.ready(Machine(4, "load1"), found(0.3))
    assert (good.fitness, good.matters) == (Fitness.GOOD, "")
    assert good.found == "Python 3.12.4, A CPU, 4 cores; round trip 0.3 ms"
    many = looks.ready(Machine(5, "load1"), found(0.3))
    assert many.fitness is Fitness.POOR
    assert many.matters == "its 5 processes share 4 cores: one each bears most"
    far = looks.ready(Machine(1, "load1"), found(80))
    assert far.matters == "its clock is known to 40 ms: windows under 4 s are refused"
    lost = looks.unusable(Machine(1, "load1"), "ssh says: no")
    assert (lost.fitness, lost.matters) == (
        Fitness.MISSING,
        "no trial begins without it: ssh says: no",
    )
