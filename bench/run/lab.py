"""Opens and closes what all trials of a run share: environments, delay server, keeper."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import RequirementError
from bench.placement import UNPINNED, Placement
from bench.run.database.kinds import database_of, databases_of
from bench.run.database.opening import open_databases
from bench.run.host import environments, machine
from bench.run.host.cpus import affinity
from bench.run.observer import SILENT, Observer
from bench.run.process.children import Keeper
from bench.run.server.bringup import HOST
from bench.run.server.delay_server import DelayServer
from go_delay import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.config.target import Target
    from bench.paths import Paths
    from bench.plan import Cell
    from bench.run.away.fleet import Fleet
    from bench.run.database.database import Database
    from bench.run.database.opening import Found
    from bench.run.host.environments import Environment
    from bench.run.own.environ import Own


@dataclass(frozen=True, slots=True)
class Patience:
    """Deadlines of the phases of a trial, in s."""

    ready_s: float = 30.0  # for the server and for the generator to be ready
    stall_s: float = 20.0  # how much longer than planned the load may take


@dataclass(frozen=True, slots=True)
class Lab:
    """What all trials of a run share."""

    root: Path  # holds app/foreign and locustfiles/
    keeper: Keeper
    delay: DelayServer
    load_python: Path
    server_pythons: Mapping[tuple[str, str], Path]  # by (server, python)
    own: Own | None = None  # a person's own application; None: the one here
    probe: bool = True
    app: Path | None = None  # holds another app/ than the root's
    hash_seed: int | None = None  # of Python's string hashes; None: each process draws its own
    traced: bool = False  # a profiler may look into the servers
    threads: int | None = None  # of each worker's pool; None: anyio's own number
    placement: Placement = UNPINNED
    patience: Patience = Patience()
    quota_cores: float | None = None  # where a quota leaves less than the CPUs that we may use
    observer: Observer = SILENT
    databases: Mapping[str, Found] = field(default_factory=dict)  # those that cells ask
    fleet: Fleet | None = None  # load machines, where the generator isn't here
    address: str = HOST  # where the servers under test listen

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be written down."""
        own = () if self.own is None else tuple(self.own.secrets.values())
        found = [one for one in self.databases.values() if not isinstance(one, str)]
        return (*own, *(secret for one in found for secret in one.secrets))

    @property
    def pids_for_away(self) -> list[int]:
        """Processes here that stand for load machines."""
        return [] if self.fleet is None else self.fleet.pids

    def database(self, cell: Cell) -> Database | None:
        """What a cell asks; None of those that ask none, or can't."""
        found = self.databases.get(database_of(cell.io) or "")
        return None if isinstance(found, str) else found

    def lacking(self, cell: Cell) -> str | None:
        """Why a cell can't be measured: the database that it asks isn't there."""
        found = self.databases.get(database_of(cell.io) or "")
        return found if isinstance(found, str) else None

    def cpu_sets(self) -> dict[str, list[int]]:
        """The CPUs that a trial may use, and the server's own, if it has some."""
        sets = {"trial": affinity(os.getpid()) or []}
        return sets | ({"server": [*self.placement.server]} if self.placement.server else {})


@dataclass(frozen=True, slots=True)
class Environments:
    """All that a plan needs; those of servers may be unusable, with the reason."""

    servers: dict[tuple[str, str], Environment]  # by (server, python)
    load: Environment
    # By the databases that cells ask; None of those that no environment holds.
    databases: Mapping[str, Environment | None] = field(default_factory=dict)


def find_environments(
    paths: Paths, cells: Sequence[Cell], target: Target | None = None
) -> Environments:
    """The environments of these cells, of one's own application if there is a ``target``.

    Raises:
        RequirementError: the load generator has none; nothing can run without it.
    """
    load = environments.find(paths.notes, paths.root, "load")
    if load.python is None:
        raise RequirementError(f"The load generator can't run: {load.reason}. Try `nox -s load`.")
    needed = dict.fromkeys((cell.server, str(cell.python)) for cell in cells)
    servers = {
        (server, python): (
            environments.find(paths.notes, paths.root, f"server-{server}", python)
            if target is None
            else environments.find_own(paths.notes, target.path, server, python)
        )
        for server, python in needed
    }
    return Environments(servers, load, find_databases(paths, cells) if target is None else {})


def find_databases(paths: Paths, cells: Sequence[Cell]) -> dict[str, Environment | None]:
    """Those that cells of the application here ask."""
    return {
        name: environments.find(paths.notes, paths.root, "database") if name == "postgres" else None
        for name in databases_of(cells)
    }


@contextlib.contextmanager
def open_lab(
    paths: Paths,
    found: Environments,
    folder: Path,
    *,
    own: Own | None = None,
    probe: bool = True,
    late_ms: int = 0,
    placement: Placement = UNPINNED,
    observer: Observer = SILENT,
    fleet: Fleet | None = None,
    listen: str | None = None,
) -> Iterator[Lab]:
    """Start the keeper and the delay server; end both, and whatever they keep, at exit.

    ``listen`` is an address where the servers under test, and the delay server for its controls,
    are to be reached; None: on loopback alone.

    Raises:
        RequirementError: the delay server is not built, or can't be started.
    """
    binary = _delay_server(paths)
    with contextlib.ExitStack() as stack:
        keeper = Keeper()
        stack.callback(keeper.close)
        server = DelayServer(
            binary,
            keeper=keeper,
            log=folder / "delay.log",
            page=folder / "delay-page.bin",
            extra=("-late-ms", str(late_ms)) if late_ms else (),
            cpus=placement.delay,
            also=listen,
        )
        stack.callback(server.stop)
        if found.load.python is None:
            raise RequirementError(str(found.load.reason))
        databases = stack.enter_context(
            open_databases(found.databases, keeper, folder, placement.delay)
        )
        for name, opened in databases.items():
            if not isinstance(opened, str):  # else its rows say why there is none
                observer.say(f"{name}: {opened.version}")
        yield Lab(
            root=paths.root,
            keeper=keeper,
            delay=server,
            load_python=found.load.python,
            server_pythons={
                key: environment.python
                for key, environment in found.servers.items()
                if environment.python is not None
            },
            own=own,
            probe=probe,
            placement=placement,
            quota_cores=machine.limiting_quota(machine.describe()),
            observer=observer,
            databases=databases,
            fleet=fleet,
            address=listen or HOST,
        )


def _delay_server(paths: Paths) -> Path:
    """The delay server that nox has built from the present source."""
    note = paths.go_note
    server = Path(str(note.get("server")))
    if note.get("error"):
        reason = str(note["error"])
    elif not server.is_file():
        reason = "nox has not built it"
    elif note.get("source") != build.source_hash():
        reason = "its source has changed since nox built it"
    else:
        return server
    raise RequirementError(f"The delay server can't run; try `nox -s go`: {reason}")
