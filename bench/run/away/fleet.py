"""The load machines of a run: made ready side by side, and those that are lost tried again."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import RequirementError
from bench.run.away import station
from bench.run.away.link import Unreachable
from bench.run.process.children import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.config.machines import Machine
    from bench.plan import Plan
    from bench.run.away.station import Part, Station

AGAIN_S = 30.0  # between two tries to have a lost machine back


@dataclass(frozen=True, slots=True)
class Seat:
    """Where one process with users goes."""

    station: Station
    number: int  # of it on its machine


@dataclass(slots=True)
class Fleet:
    """The machines of a run, those that are there and those that are lost."""

    machines: tuple[Machine, ...]
    part: Part
    listen: str
    keeper: Keeper
    folder: Path  # for logs
    say: Callable[[str], None]
    warn: Callable[[str], None]
    stations: dict[int, Station] = field(default_factory=dict)  # by the machine's number
    lost: dict[int, str] = field(default_factory=dict)  # why
    _tried_s: float = 0.0

    def seats(self) -> list[Seat]:
        """Of those that are there, by turns: one process of each, then the second ones."""
        most = max((machine.processes for machine in self.machines), default=0)
        return [
            Seat(found, number)
            for number in range(most)
            for at, found in sorted(self.stations.items())
            if number < self.machines[at].processes
        ]

    @property
    def pids(self) -> list[int]:
        """Of what stands here for them."""
        return [pid for found in self.stations.values() for pid in found.pids]

    def about(self) -> dict[str, dict[str, Any]]:
        """What they are, by their labels."""
        return {
            found.label: {
                **found.about,
                "role": "load machine",
                "processes": self.machines[at].processes,
            }
            for at, found in sorted(self.stations.items())
        }

    def ensure(self) -> None:
        """Before each trial: see who is still there, and try to have the others back.

        Raises:
            RequirementError: nobody is.
        """
        for at, found in [*self.stations.items()]:
            if (why := found.gone) is not None:
                found.close()
                del self.stations[at]
                self.lost[at] = why
                self.warn(f"{found.label} ({found.host}) is lost: {why}")
        if not self.lost:
            return
        if not self.stations or time.monotonic() - self._tried_s > AGAIN_S:
            back = self._settle(list(self.lost), again=True)
            self._tried_s = time.monotonic()
            for at in back:
                del self.lost[at]
                self.warn(f"{_label(at)} ({self.machines[at].host}) is back")
        if not self.stations:
            raise RequirementError(
                f"No load machine is left: {self._troubles()}. Make one reachable, then give the"
                " same command: it goes on where it stopped."
            )

    def open(self) -> None:
        """Make all of them ready.

        Raises:
            RequirementError: one can't be used.
        """
        self.settle()
        if self.lost:
            raise RequirementError(self._troubles())
        for found in self.stations.values():
            about = f"{found.about['cpu']}, {found.about['cores']} cores"
            trip = f"{found.round_trip_ms:.2g} ms there and back"
            self.say(f"{found.label} ({found.host}): {about}, {trip}")

    def settle(self) -> None:
        """Try to; then ``stations`` are those that are ready, and ``lost`` says of others why."""
        self._settle(range(len(self.machines)), again=False)

    def close(self) -> None:
        """Let all of them go."""
        for found in self.stations.values():
            found.close()
        self.stations.clear()

    def _settle(self, wanted: Sequence[int], *, again: bool) -> list[int]:
        """Those that are there now."""
        here = []
        with (
            contextlib.closing(station.listen(self.listen)) as listening,
            ThreadPoolExecutor(len(wanted)) as pool,
        ):
            way = station.Way(self.listen, listening.getsockname()[1])
            tries = {
                at: pool.submit(
                    station.settle,
                    _label(at),
                    self.machines[at],
                    part=self.part,
                    way=way,
                    keeper=self.keeper,
                    folder=self.folder,
                    say=self.say,
                    again=again,
                )
                for at in wanted
            }
            for at, one in tries.items():
                if isinstance(why := one.exception(), Unreachable):
                    self.lost[at] = str(why)
                else:
                    self.stations[at] = one.result()
                    here.append(at)
        return here

    def _troubles(self) -> str:
        return "; ".join(
            f"{_label(at)} ({self.machines[at].host}): {why}" for at, why in self.lost.items()
        )


def _label(at: int) -> str:
    return f"load machine {at + 1}"


@contextlib.contextmanager
def open_fleet(
    root: Path, plan: Plan, say: Callable[[str], None], warn: Callable[[str], None]
) -> Iterator[Fleet | None]:
    """All load machines of a plan, ready; None of a plan without.

    Args:
        root: of this checkout.
        plan: with the machines of its profile, and the address where the servers will listen.
        say: told what takes long,
        warn: and who is lost.

    Raises:
        RequirementError: one of them can't be used, or the address is none of this machine.
    """
    machines, listen = plan.profile.machines, plan.profile.listen
    if listen is not None:
        demand_here(listen)
        say(f"the servers under test listen on {listen}: whoever reaches it reaches them")
    if not machines or listen is None:
        yield None
        return
    theirs = () if plan.target is None else plan.target.locustfiles.values()
    part = station.load_part(root, [one.path for one in theirs])
    with unopened(machines, listen, part, say, warn) as fleet:
        fleet.open()
        yield fleet


@contextlib.contextmanager
def unopened(
    machines: Sequence[Machine],
    listen: str,
    part: Part,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Iterator[Fleet]:
    """A fleet whose machines nobody has asked yet; at exit all are let go."""
    keeper = Keeper()
    try:
        with tempfile.TemporaryDirectory(prefix="matrix-away-") as name:
            keeper.remove_at_end(Path(name))
            fleet = Fleet(tuple(machines), part, listen, keeper, Path(name), say, warn)
            try:
                yield fleet
            finally:
                fleet.close()
    finally:
        keeper.close()


def demand_here(address: str) -> None:
    """An address must be one of this machine.

    Raises:
        RequirementError: it is none.
    """
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            raise RequirementError(
                f"--listen: {address} is no address of this machine; `ip -brief address` lists them"
            ) from None
