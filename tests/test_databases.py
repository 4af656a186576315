"""Databases that io kinds ask: which, whose, and what becomes of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.digest.trial_signals import DATABASE, GROUPS
from bench.paths import paths
from bench.plan import Cell
from bench.run.database import opening, postgres, redis
from bench.run.database.database import Database, Unavailable, folder_for
from bench.run.database.kinds import database_of, databases_of, given
from bench.run.host import environments
from bench.run.host.environments import Environment
from bench.run.lab import Lab
from bench.run.process.children import Keeper
from tests.support.processes import gone, within

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON_S = 10.0
REDIS = any(map(shutil.which, redis.PROGRAMS))
NEEDS_REDIS = pytest.mark.skipif(
    not REDIS and not os.environ.get("MATRIX_REQUIRE_REDIS"), reason="no Redis on this machine"
)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A keeper, let go at the end."""
    made = Keeper()
    yield made
    made.close()


@pytest.fixture
def python() -> Path:
    """Of the environment that holds PostgreSQL."""
    where = paths()
    found = environments.find(where.notes, where.root, "database")
    if found.python is None and "CI" not in os.environ:
        pytest.skip(f"no PostgreSQL on this machine: {found.reason}")
    assert found.python is not None, found.reason
    return found.python


@pytest.mark.parametrize(
    ("io", "name"),
    [("postgres", "postgres"), ("postgres_asyncpg", "postgres"), ("redis", "redis"),
     ("json", None), ("http_pooled", None), ("", None)],
)  # fmt: skip
def test_an_io_kind_is_called_after_its_database(io: str, name: str | None) -> None:
    """Most have none."""
    assert database_of(io) == name


def test_each_database_is_needed_once() -> None:
    """However many cells ask it."""
    cells = [Cell("sync", io, "uvicorn", 1) for io in ("json", "postgres_asyncpg", "postgres")]
    assert databases_of(cells) == ["postgres"]


def test_a_persons_own_is_given_by_its_address(keeper: Keeper, tmp_path: Path) -> None:
    """Nothing is started, and what gives access to it is named as secret."""
    address = "postgresql://me:sesame@localhost/shop"
    assert given("postgres", {"MATRIX_POSTGRES": address}) == address
    assert given("postgres", {"MATRIX_POSTGRES": ""}) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATRIX_POSTGRES", address)
        with opening.open_databases({"postgres": None}, keeper, tmp_path, ()) as found:
            mine = found["postgres"]
    assert isinstance(mine, Database)
    assert mine.child is None
    assert mine.variables == {"MATRIX_POSTGRES_DSN": address}
    assert mine.secrets == (address, "sesame")
    assert Database("redis", "redis://localhost", "").secrets == ("redis://localhost",)


@pytest.mark.parametrize(
    ("name", "environment", "said"),
    [
        ("postgres", None, "no PostgreSQL: nox has not made it. Try `nox -s database`"),
        ("postgres", Environment("database", None, "", "no wheel for it"), "no wheel for it"),
        ("postgres", Environment("database", Path(sys.executable), ""), "try `nox -s database`"),
        ("redis", None, "neither redis-server nor valkey-server on PATH"),
    ],
)
def test_what_is_lacking_is_told(
    name: str,
    environment: Environment | None,
    said: str,
    keeper: Keeper,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It costs the cells that ask it, and no others."""
    monkeypatch.delenv("MATRIX_POSTGRES", raising=False)
    monkeypatch.delenv("MATRIX_REDIS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if environment is not None and environment.python is not None:
        environment = replace(environment, python=tmp_path / "bin" / "python")  # holds nothing
    with opening.open_databases({name: environment}, keeper, tmp_path, ()) as found:
        reason = found[name]
    assert isinstance(reason, str)
    assert said in reason
    lab = Lab(tmp_path, keeper, None, Path(), {}, databases=found)  # type: ignore[arg-type]
    assert lab.lacking(Cell("sync", name, "uvicorn", 1)) == reason
    assert lab.lacking(Cell("sync", "json", "uvicorn", 1)) is None
    assert lab.secrets == ()


def test_a_folder_too_deep_for_a_socket(
    keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to set is told, and none stays."""
    deep = tmp_path / ("a" * 90)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(Unavailable, match="set TMPDIR to a shorter folder"):
        redis.start(keeper, tmp_path / "log", ()) if REDIS else folder_for("redis", keeper)
    assert [*deep.iterdir()] == []


def test_its_group_is_none_of_the_others() -> None:
    """So that its CPU is neither the server's nor other programs'."""
    assert DATABASE not in GROUPS


def segments() -> set[str]:
    """The System V shared memory of this machine, by its lines."""
    table = Path("/proc/sysvipc/shm")
    return set(table.read_text().splitlines()[1:]) if table.is_file() else set()


@pytest.mark.real
@pytest.mark.timeout(60)
def test_a_postgres_of_ours_goes_without_a_trace(
    python: Path, keeper: Keeper, tmp_path: Path
) -> None:
    """Processes in sessions of their own, shared memory and folder."""
    before = segments()
    found = postgres.start(python, keeper, tmp_path / "postgres.log", ())
    assert found.child is not None
    assert found.folder is not None
    assert found.version.startswith("PostgreSQL ")
    process = psutil.Process(found.child.pid)
    backends = process.children(recursive=True)
    assert backends
    assert all(os.getsid(one.pid) != os.getsid(process.pid) for one in backends)
    assert os.geteuid() or process.username() == postgres.UNPRIVILEGED
    assert not process.net_connections("inet")
    found.stop()
    assert within(SOON_S, lambda: all(map(gone, [process.pid, *(one.pid for one in backends)])))
    assert segments() <= before
    assert not found.folder.exists()


HARNESS = """
import sys, time
from pathlib import Path
from bench.run.database import postgres
from bench.run.process.children import Keeper
found = postgres.start(Path(sys.argv[1]), Keeper(), Path(sys.argv[2]), ())
print(found.child.pid, found.folder, flush=True)
time.sleep(60)
"""


@pytest.mark.real
@pytest.mark.timeout(60)
def test_sigkill_of_the_harness_leaves_no_postgres(python: Path, tmp_path: Path) -> None:
    """The keeper tells it to quit before it kills it."""
    before = segments()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HARNESS), str(python), str(tmp_path / "log")],
        cwd=paths().root,
        stdout=subprocess.PIPE,
        text=True,
    ) as harness:
        assert harness.stdout is not None
        pid, folder = harness.stdout.readline().split()
        everyone = [int(pid), *(one.pid for one in psutil.Process(int(pid)).children())]
        harness.send_signal(signal.SIGKILL)
    assert within(SOON_S, lambda: all(map(gone, everyone)))
    assert within(SOON_S, lambda: not Path(folder).exists())
    assert segments() <= before


@pytest.mark.real
@NEEDS_REDIS
def test_a_redis_of_ours_goes_without_a_trace(keeper: Keeper, tmp_path: Path) -> None:
    """It listens on no port."""
    found = redis.start(keeper, tmp_path / "redis.log", ())
    assert found.child is not None
    assert found.folder is not None
    assert found.version.split()[0] in redis.PROGRAMS
    assert not psutil.Process(found.child.pid).net_connections("inet")
    found.stop()
    assert gone(found.child.pid)
    assert not found.folder.exists()
