"""Opens and closes what all trials of a run share: environments, delay server, keeper."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.placement import UNPINNED, Placement
from bench.problem import Lacking
from bench.run import environments
from bench.run.delay import DelayServer
from bench.run.process import Keeper
from bench.run.trial import Lab
from go_delay import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.plan import Cell
    from bench.run.environments import Environment
    from bench.run.paths import Paths

BUILD_S = 300.0


@dataclass(frozen=True, slots=True)
class Environments:
    """All that a plan needs; those of servers may be unusable, with the reason."""

    servers: dict[tuple[str, str], Environment]  # by (server, python)
    load: Environment


def find_environments(paths: Paths, cells: Sequence[Cell]) -> Environments:
    """The environments of these cells.

    Raises:
        Lacking: the load generator has none; nothing can run without it.
    """
    load = environments.find(paths.notes, paths.root, "load")
    if load.python is None:
        raise Lacking(f"The load generator can't run: {load.reason}. Try `nox -s load`.")
    needed = dict.fromkeys((cell.server, str(cell.python)) for cell in cells)
    servers = {
        (server, python): environments.find(paths.notes, paths.root, f"server-{server}", python)
        for server, python in needed
    }
    return Environments(servers, load)


@contextlib.contextmanager
def open_lab(
    paths: Paths,
    found: Environments,
    folder: Path,
    *,
    probe: bool = True,
    late_ms: int = 0,
    placement: Placement = UNPINNED,
) -> Iterator[Lab]:
    """Start the keeper and the delay server; end both, and whatever they keep, at exit.

    Raises:
        Lacking: the delay server can't be built or started.
    """
    binary = _delay_server(paths)
    with contextlib.ExitStack() as stack:
        keeper = Keeper()
        stack.callback(keeper.close)
        server = DelayServer(
            binary,
            keeper=keeper,
            log=folder / "delay.log",
            extra=("-late-ms", str(late_ms)) if late_ms else (),
            cpus=placement.delay,
        )
        stack.callback(server.stop)
        if found.load.python is None:
            raise Lacking(str(found.load.reason))
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
            probe=probe,
            placement=placement,
        )


def _delay_server(paths: Paths) -> Path:
    """The built delay server; waits for a build that nox began in the background."""
    try:
        return build.wait(paths.delay_cache, build.find_go(paths.go), timeout_s=BUILD_S)
    except build.BuildError as error:
        raise Lacking(f"The delay server can't be built: {error}") from error
