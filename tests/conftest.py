"""What tests of the real thing share: environments that nox has made, and one open lab."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from bench.config import fixed
from bench.paths import Paths, default_python, paths
from bench.run.host import environments
from bench.selfcheck.trials import cell, trials
from tests.support.fuzz import LEAST, LONG
from tests.support.machines import RELAYED_S, REQUIRED, lacking, machines, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.machines import Machine

from bench.selfcheck.trials import Trials

# Normal tests try the same examples each time, so that what fails in CI fails
# at home; `nox -s fuzz` tries others, and many more, each time.
settings.register_profile("normal", deadline=None, derandomize=True, print_blob=True)
settings.register_profile(LONG, deadline=None, derandomize=False, print_blob=True)
settings.register_profile(LEAST, deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))

SERVERS = (
    *("uvicorn", "gunicorn", "hypercorn"),
    *("uvicorn_h11", "gunicorn_asgi", "granian", "fastapi_run"),
)


@pytest.fixture(scope="session", autouse=True)
def _own_lock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A run that goes on elsewhere on this machine is no matter of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATRIX_LOCK", str(tmp_path_factory.mktemp("lock") / "lock"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _children_hear_signals() -> None:
    """Started by nohup, or in the background by a script, we ignore some, and so would they."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            # No default: a handler of ours is reset in a child, and we stay deaf.
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session")
def prepared() -> Paths:
    """Where nox has put the environments; run through nox they must be there."""
    where = paths()
    needed = [("load", None), *((f"server-{name}", default_python()) for name in SERVERS)]
    for role, python in needed:
        found = environments.find(where.notes, where.root, role, python)
        if found.python is None:
            if "MATRIX_NOTES" in os.environ:
                pytest.fail(f"nox has made no usable environment: {found.reason}")
            pytest.skip(f"{found.reason}; `nox -s tests` makes it")
    return where


@pytest.fixture(scope="session")
def load_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where load machines keep their environment: not in anybody's home."""
    return tmp_path_factory.mktemp("cache") / "cache"


@pytest.fixture(scope="module")
def load_machines(
    tmp_path_factory: pytest.TempPathFactory, load_cache: Path
) -> Iterator[list[Machine]]:
    """Three, the second behind a relay, which holds each packet for 20 ms."""
    if (why := lacking()) is not None:
        if REQUIRED in os.environ:
            pytest.fail(why)
        pytest.skip(why)
    with machines(tmp_path_factory.mktemp("net"), 3, relayed=(2,)) as found:
        found[1].say(f"{RELAYED_S} late")
        for one in found:
            one.variables["XDG_CACHE_HOME"] = str(load_cache)
            one.restart_sshd()
        if not load_cache.exists():
            made(load_cache, found[0])
        yield found


@pytest.fixture(scope="session")
def bench(prepared: Paths) -> Iterator[Trials]:
    """Runs real trials of a second or so: 12 users, a delay of 100 ms."""
    cells = [cell("async", "noop", server) for server in SERVERS]
    cells += [cell("async", io) for io in ("postgres", "redis")]
    with trials(prepared, fixed(users=12, warmup_s=0.3, duration_s=1.0), cells, 0.1) as opened:
        yield opened
