"""Load generators on other machines, over a real ssh: books, clocks, and every fault.

The machines are network namespaces (`tests.support.machines`): root on Linux.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.analysis.fitness import Fitness, judge
from bench.analysis.reason import Kind
from bench.analysis.reconcile import disagreements
from bench.config import Profile, fixed
from bench.config.machines import Machine as Asked
from bench.errors import RequirementError
from bench.plan import make_plan
from bench.records.model import Outcome
from bench.run.away import station
from bench.run.away.fleet import open_fleet
from bench.selfcheck.trials import Trials, cell, trials
from tests.support import machines as nets
from tests.support.machines import LISTEN, RELAYED_S, Machine
from tests.support.processes import within
from tests.test_real_faults import hurried, in_the_load
from tests.test_real_own import THEIR_APP, THEIR_USERS
from tests.test_real_own import cell as their_cell
from tests.test_real_own import own as own_trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.paths import Paths

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

ROOT = Path(__file__).resolve().parent.parent
ALL = (Asked(1, "load1"), Asked(2, "load2"), Asked(1, "load3"))
POOLED, NOOP = cell("async", "http_pooled"), cell("async", "noop")
DUE_RPS = 6 / 0.1 + 6 / (0.1 + 2 * RELAYED_S)  # six of twelve users are 40 ms further away
GOES_S = 15.0  # until what a cut line has left behind has noticed


def asking(machines: tuple[Asked, ...], window_s: float = 2.5) -> Profile:
    """12 users on them, for a delay of 100 ms."""
    profile = fixed(users=12, warmup_s=0.3, duration_s=window_s, delay_s=0.1)
    return replace(profile, machines=machines, listen=LISTEN)


@dataclass
class Net:
    """Three machines, the second behind a relay, and a lab that has all of them."""

    machines: list[Machine]
    bench: Trials
    told: list[str]


def ends(machine: Machine, *, workers: bool = False) -> bool:
    """Whether nothing of ours runs there soon: no process with users, or none at all."""
    return within(3, lambda: not (machine.workers() if workers else machine.processes()))


@pytest.fixture(scope="module")
def net(load_machines: list[Machine], prepared: Paths) -> Iterator[Net]:
    """With a lab."""
    told: list[str] = []
    with trials(prepared, asking(ALL), [POOLED, NOOP], 0.1, warn=told.append) as bench:
        yield Net(load_machines, bench, told)
    for machine in load_machines:
        assert ends(machine)
        assert machine.listening() == [f"{machine.address}:22"]


@pytest.fixture
def whole(net: Net) -> Net:
    """All three are there, whatever a test before has done to them."""
    fleet = net.bench.runner.lab.fleet
    assert fleet is not None

    def all_there() -> bool:
        fleet._tried_s = 0.0
        fleet.ensure()
        return not fleet.lost

    assert within(60, all_there), fleet.lost
    net.told.clear()
    return net


@pytest.fixture
def near(whole: Net) -> Iterator[Net]:
    """Without the one behind the relay: a trial takes four seconds less, for two clocks."""
    lab = whole.bench.runner.lab
    assert lab.fleet is not None
    two = {at: one for at, one in lab.fleet.stations.items() if at != 1}
    fleet = replace(lab.fleet, stations=two)
    runner = replace(whole.bench.runner, lab=replace(lab, fleet=fleet))
    yield replace(whole, bench=replace(whole.bench, runner=runner).under(asking(ALL, 1.0), 0.1))
    for at, one in fleet.stations.items():
        if lab.fleet.stations.get(at) is not one:  # it was lost, and had back
            one.close()


def test_their_books_balance_to_the_request(whole: Net) -> None:
    """Four processes in three networks, two of them behind a relay of 20 ms each way."""
    record, measured = whole.bench.measured(POOLED)
    counted = measured.counters
    assert disagreements(measured) == ()
    assert judge(record, 2).fitness is not Fitness.INVALID
    assert (measured.load.generators, measured.load.away) == (4, 4)
    assert counted.generator_started == counted.generator_recorded == measured.requests.started
    assert counted.generator_counted == measured.requests.succeeded > 100
    assert measured.requests.failed == 0
    assert measured.throughput_rps == pytest.approx(DUE_RPS, rel=0.15)
    bound_ms = measured.load.clock_bound_ms
    assert bound_ms is not None
    assert RELAYED_S * 1e3 <= bound_ms < RELAYED_S * 1e3 + 5
    assert measured.signals.generator_busiest is not None
    assert 0 < measured.signals.generator_busiest < 0.5


def test_only_the_servers_listen_there_and_nothing_of_locust(near: Net) -> None:
    """At the address that was asked for; its master and the way to it stay on loopback."""
    seen: list[tuple[str, str]] = []

    def look() -> None:
        for process in psutil.Process().children(recursive=True):
            seen.extend(
                (" ".join(process.cmdline()), one.laddr.ip)
                for one in process.net_connections("tcp")
                if one.status == psutil.CONN_LISTEN
            )
        seen.extend(
            ("sshd", one.rpartition(":")[0]) for m in near.machines for one in m.listening()
        )

    with in_the_load(near.bench, look):
        near.bench.measured(POOLED)
    open_ones = {ip for name, ip in seen if name != "sshd"}
    assert open_ones == {"127.0.0.1", LISTEN}
    assert {ip for name, ip in seen if "locust" in name} == {"127.0.0.1"}
    there = {ip for name, ip in seen if name == "sshd"} - {one.address for one in near.machines}
    assert there == {"127.0.0.1"}


def test_a_line_that_is_cut_for_two_seconds_loses_nothing(whole: Net) -> None:
    """Of two of four processes; requests wait for it, and are counted."""
    longer = whole.bench.under(asking(ALL, window_s=5.0), 0.1)
    with in_the_load(longer, lambda: whole.machines[1].say("2 cut"), after_s=1.5):
        _, measured = longer.measured(POOLED)
    assert disagreements(measured) == ()
    assert measured.requests.failed == 0
    assert measured.counters.generator_counted == measured.requests.succeeded
    assert measured.throughput_rps < 0.9 * DUE_RPS


def test_records_come_back_over_a_thin_line(whole: Net) -> None:
    """40 kB/s: some seconds for what a second of an empty endpoint leaves."""
    two = whole.bench.under(asking(ALL), 0.0)

    def thin() -> None:
        whole.machines[1].say("40000 thin")

    try:
        with in_the_load(two, thin, after_s=1.0):
            record, measured = two.measured(NOOP)
    finally:
        whole.machines[1].say("0 thin")
    assert disagreements(measured) == ()
    assert record.phases_s["load"] > 5


def test_one_that_dies_in_the_window_is_missed_at_once(near: Net) -> None:
    """The trial has failed, with the reason; the next has all of them."""

    def kill() -> None:
        near.machines[0].workers()[0].kill()

    with in_the_load(near.bench, kill):
        record = near.bench.run(POOLED)
    assert record.outcome is Outcome.FAILED
    told = "the load generator ended early: load generator process 1 (load machine 1) ended"
    assert str(record.reason).startswith(told)
    _, measured = near.bench.measured(POOLED)
    assert (disagreements(measured), measured.load.generators) == ((), 2)


def test_one_that_is_cut_off_is_left_out_until_it_is_back(near: Net) -> None:
    """The run goes on with those that are left, and nothing goes on there."""
    third = near.machines[2]
    with in_the_load(near.bench, lambda: third.link("down")):
        record = near.bench.run(POOLED)
    assert record.outcome is Outcome.FAILED
    assert record.reason in {  # whichever comes first
        "load generator process 2 gives no sign of life",
        "load generator process 2 did not hand in its records",
    }
    again = near.bench.run(POOLED)
    while again.outcome is Outcome.FAILED:  # until ssh has seen it, too
        assert "load machine 3" in str(again.reason)
        again = near.bench.run(POOLED)
    assert again.measured is not None
    assert (disagreements(again.measured), again.measured.load.generators) == ((), 1)
    assert any("load machine 3 (load3) is lost" in one for one in near.told)
    assert within(GOES_S, lambda: third.processes() == [])
    third.link("up")
    third.run("ip", "route", "replace", f"{LISTEN}/32", "via", nets.NET.format(3, 1))


def test_one_that_comes_back_in_the_load_is_too_late(near: Net) -> None:
    """Its users were idle for a while: no such trial counts."""
    worker: list[psutil.Process] = []

    def pause() -> None:
        worker.extend(near.machines[0].workers())
        worker[0].suspend()
        time.sleep(10.5)
        with contextlib.suppress(psutil.Error):  # it may have been given up
            worker[0].resume()

    longer = near.bench.under(asking(ALL, window_s=11.5), 0.1)
    with in_the_load(longer, pause):
        record = longer.run(POOLED)
    assert record.outcome is Outcome.FAILED
    assert record.reason == "load generator process 1 gives no sign of life"


def test_one_that_comes_late_is_named(whole: Net) -> None:
    """Once the patience with it is over."""

    def cut() -> None:
        assert within(20, lambda: len(whole.machines[1].workers()) == 2)
        whole.machines[1].say("6 cut")

    thread = threading.Thread(target=cut)
    thread.start()
    record = hurried(whole.bench, ready_s=3.0).run(POOLED)
    thread.join()
    whole.machines[1].say("0 cut")
    assert record.outcome is Outcome.FAILED
    told = [f"load generator process {number} (load machine 2)" for number in (2, 4)]
    assert record.reason == f"{' and '.join(told)} did not come in 3 s"


def test_one_that_is_slow_is_the_bound(near: Net) -> None:
    """It has a core that somebody else uses: whoever waits for it measures it."""
    hogs = []

    def slow() -> None:
        worker = near.machines[0].workers()[0]
        worker.cpu_affinity([0])
        code = (
            "import os, time; os.sched_setaffinity(0, [0]); end = time.time() + 4\n"
            "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\n"
            "while time.time() < end: pass"
        )
        hogs.append(psutil.Popen([sys.executable, "-c", code]))

    crowd = replace(asking(ALL, window_s=2.5), warmup_s=0.5, users=24)
    with in_the_load(near.bench.under(crowd, 0.0), slow, after_s=0.3):
        record = near.bench.under(crowd, 0.0).run(NOOP)
    for hog in hogs:
        hog.wait(10)
    # Whichever shows more: it had no time, or its timers were late.
    judged = judge(record, 2)
    assert judged.fitness in {Fitness.INVALID, Fitness.DISTURBED}
    kinds = {reason.kind for reason in judged.reasons}
    assert kinds & {Kind.GENERATORS_BOUND, Kind.GENERATOR_LATE}


def test_one_without_room_says_so(near: Net) -> None:
    """Of its records."""
    small = near.machines[0].folder / "small"
    small.mkdir()
    subprocess.run(
        [nets.tool("mount"), "-t", "tmpfs", "-o", "size=16k", "none", str(small)], check=True
    )
    one = near.machines[0]
    try:
        one.variables["TMPDIR"] = str(small)
        one.restart_sshd()  # and so the connection ends
        fleet = near.bench.runner.lab.fleet
        assert fleet is not None
        assert within(GOES_S, lambda: fleet.stations[0].gone is not None)
        fleet._tried_s = 0.0
        record = near.bench.under(asking(ALL, 1.0), 0.0).run(NOOP)
        assert any("load machine 1 (load1) is back" in told for told in near.told)
        assert record.outcome is Outcome.FAILED
        assert "the load generator can't write" in str(record.reason)
        assert "No space left on device" in str(record.reason)
    finally:
        del one.variables["TMPDIR"]
        assert within(5, lambda: one.workers() == [])
        one.restart_sshd()
        subprocess.run([nets.tool("umount"), "-l", str(small)], check=True)


def test_a_master_that_dies_takes_all_of_them_along(near: Net) -> None:
    """And nothing stays on any machine."""

    def kill() -> None:
        (master,) = (one for one in psutil.Process().children() if "--master" in one.cmdline())
        master.kill()

    with in_the_load(near.bench, kill):
        record = near.bench.run(POOLED)
    assert record.outcome is Outcome.FAILED
    assert str(record.reason).startswith("the load generator ended early")
    for machine in near.machines:
        assert ends(machine, workers=True)
        assert machine.listening() == [f"{machine.address}:22"]


@pytest.mark.usefixtures("net")
def test_a_second_run_is_refused_the_machines() -> None:
    """Both would measure each other."""
    plan = make_plan([POOLED], asking(ALL[:1]), seed=1)
    with (
        pytest.raises(RequirementError, match=r"load machine 1 \(load1\): is in use: another run"),
        open_fleet(ROOT, plan, print, print),
    ):
        pass


def test_open_loads_come_from_all_of_them(near: Net) -> None:
    """One rate in all, each by its own clock."""
    profile = replace(asking(ALL, 1.5), rate=60.0, in_flight=40)
    _, measured = near.bench.under(profile, 0.1).measured(POOLED)
    assert disagreements(measured) == ()
    assert measured.open is not None
    assert measured.throughput_rps == pytest.approx(60, rel=0.3)


@pytest.fixture
def own(net: Net) -> Iterator[Machine]:
    """The third machine, which the lab has let go."""
    fleet = net.bench.runner.lab.fleet
    assert fleet is not None
    if 2 in fleet.stations:
        fleet.stations.pop(2).close()
        fleet.lost[2] = "let go"
    machine = net.machines[2]
    assert within(3, lambda: machine.processes() == [])
    yield machine
    machine.lines = []
    machine.variables["XDG_CACHE_HOME"] = net.machines[0].variables["XDG_CACHE_HOME"]
    machine.restart_sshd()
    machine.run("ip", "route", "replace", f"{LISTEN}/32", "via", nets.NET.format(3, 1))


def test_users_of_ones_own_ask_from_there_and_no_secret_is_seen(
    net: Net, own: Machine, tmp_path: Path
) -> None:
    """Their locustfile goes along; what they are given stands in no argument."""
    secret = "sesame-2026"  # noqa: S105 - of a test
    (tmp_path / "users.py").write_text(THEIR_USERS, encoding="utf-8")
    requests = {"theirs": {"locustfile": "users.py"}}
    theirs = own_trials(net.bench, tmp_path, THEIR_APP, requests, secrets={"SECRET": secret})
    assert theirs.runner.lab.own is not None
    profile, target = asking((Asked(2, "load3"),)), theirs.runner.lab.own.target
    plan = make_plan([their_cell("theirs")], profile, seed=1, target=target)
    seen: list[str] = []

    def look() -> None:
        here = psutil.Process().children(recursive=True)
        for process in (*own.processes(), *here):
            with contextlib.suppress(psutil.Error):
                seen.append(" ".join(process.cmdline()))

    with open_fleet(ROOT, plan, print, print) as fleet:
        lab = replace(theirs.runner.lab, fleet=fleet, address=LISTEN)
        trials = Trials(replace(theirs.runner, plan=plan, lab=lab))
        with in_the_load(trials, look):
            record = trials.run(their_cell("theirs"))
    measured = record.measured
    assert measured is not None, record.reason
    assert disagreements(measured) == ()
    assert (measured.load.generators, measured.load.away) == (2, 2)
    assert {one.name for one in measured.kinds} == {"/old", "the new one", "/teapot"}
    assert sum("--worker" in one for one in seen) >= 2
    assert not [one for one in seen if secret in one]


def test_more_processes_than_one_connection_may_carry(
    net: Net, own: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A usual sshd allows ten sessions of one; here it allows two."""
    own.lines = ["MaxSessions 2"]
    own.restart_sshd()
    monkeypatch.setattr(station, "SESSIONS", 2)
    plan = make_plan([POOLED], asking((Asked(3, "load3"),)), seed=1)
    with open_fleet(ROOT, plan, print, print) as fleet:
        assert fleet is not None
        assert len(fleet.stations[0].links) == 2
        runner = net.bench.runner
        trials = Trials(replace(runner, plan=plan, lab=replace(runner.lab, fleet=fleet)))
        _, measured = trials.measured(POOLED)
    assert (disagreements(measured), measured.load.away) == ((), 3)


def test_without_any_a_run_says_what_it_needs(net: Net, own: Machine) -> None:
    """Nothing can be measured then, and the same command goes on later."""
    plan = make_plan([POOLED], asking((Asked(1, "load3"),)), seed=1)
    with open_fleet(ROOT, plan, print, print) as fleet:
        assert fleet is not None
        own.stop_sshd()
        assert within(5, lambda: fleet.stations[0].gone is not None)
        runner = net.bench.runner
        trials = Trials(replace(runner, plan=plan, lab=replace(runner.lab, fleet=fleet)))
        told = r"No load machine is left: load machine 1 \(load3\): ssh says: .* Connection refused"
        with pytest.raises(RequirementError, match=told) as caught:
            trials.run(POOLED)
        assert str(caught.value).endswith("same command: it goes on where it stopped.")
        own.start_sshd()
        _, measured = trials.measured(POOLED)
    assert (disagreements(measured), measured.load.away) == ((), 1)


def test_a_run_that_is_killed_leaves_nothing_anywhere(net: Net, tmp_path: Path) -> None:
    """Neither here nor there."""
    fleet = net.bench.runner.lab.fleet
    assert fleet is not None
    for at, one in [*fleet.stations.items()]:
        if at == 0:
            one.close()  # ours lets it go
    command = [
        *(sys.executable, "-m", "bench", "single", "async_http_pooled-uvicorn-w1"),
        *("--listen", LISTEN, "--generator", "load1*2", "--output", str(tmp_path), "--quiet"),
        *("--rounds", "1", "--warmup", "1s", "--duration", "20s"),
    ]
    first = net.machines[0]
    assert within(3, lambda: first.processes() == [])
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    said = tmp_path / "log"
    assert within(40, lambda: len(first.workers()) == 2), said.read_text()
    time.sleep(1)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert within(5, lambda: first.processes() == [])
    assert within(5, lambda: first.listening() == [f"{first.address}:22"])


# -- what is found before any trial


def refused(machine: str = "load3") -> str:
    """What the run is refused with: of a machine that is nobody's."""
    plan = make_plan([POOLED], asking((Asked(1, machine),)), seed=1)
    with pytest.raises(RequirementError) as caught, open_fleet(ROOT, plan, print, print):
        pass
    return str(caught.value)


@pytest.mark.usefixtures("net")
def test_an_unknown_machine() -> None:
    """Ssh's own words."""
    told = refused("nowhere.invalid")
    assert told.startswith("load machine 1 (nowhere.invalid): ssh says: ")
    assert "`ssh nowhere.invalid true` must work without a question" in told


def test_a_machine_that_lets_nobody_in(own: Machine) -> None:
    """Without its key."""
    own.lines = ["AllowUsers nobody"]
    own.restart_sshd()
    assert "ssh says: root@10.98.3.2: Permission denied (publickey" in refused()


def test_an_old_python(own: Machine, tmp_path: Path) -> None:
    """The one that there is, by its version."""
    python = tmp_path / "python3"
    python.write_text(
        '#!/bin/sh\ncase "$2" in *sys.exit*) exit 1;; *) echo 3.9.2;; esac\n', encoding="utf-8"
    )
    python.chmod(0o755)
    for newer in range(10, 15):
        (tmp_path / f"python3.{newer}").symlink_to("/bin/false")
    own.finds(tmp_path)
    told = "load machine 1 (load3): has no Python 3.10 or newer: its python3 is 3.9.2"
    assert refused() == told


def test_no_package_index(own: Machine, tmp_path: Path) -> None:
    """A machine in a network of its own reaches none."""
    own.variables["XDG_CACHE_HOME"] = str(tmp_path)
    own.restart_sshd()
    told = refused()
    assert "can't make the load generator's environment: it reaches no package index" in told
    assert not [*tmp_path.glob("fastapi-matrix/env-*")]


def test_no_way_to_the_servers(own: Machine) -> None:
    """Though ssh has one."""
    own.run("ip", "route", "del", f"{LISTEN}/32")
    told = refused()
    assert f"can't reach {LISTEN}:" in told
    assert told.endswith("where the servers listen: Network is unreachable")


def test_no_port_forwarding(own: Machine) -> None:
    """Its sshd's own decision."""
    own.lines = ["AllowTcpForwarding no"]
    own.restart_sshd()
    assert "it forwards no port" in refused()
    assert "AllowTcpForwarding" in refused()


def test_a_clock_of_another_rate(own: Machine, tmp_path: Path) -> None:
    """2 % fast, as seen in two seconds."""
    python = tmp_path / "python3"
    found = subprocess.run(
        [nets.tool("ssh"), "load1", "python3 -c 'import sys; print(sys.executable)'"],
        capture_output=True,
        text=True,
        check=True,
    )
    python.write_text(
        f"#!{found.stdout.strip()}\n"
        "import sys, time\n"
        "real = time.monotonic_ns\n"
        "time.monotonic_ns = lambda began=real(): began + int((real() - began) * 1.02)\n"
        f"sys.executable = {found.stdout.strip()!r}\n"
        "code, sys.argv = sys.argv[2], ['-c', *sys.argv[3:]]\n"
        "exec(code)\n",
        encoding="utf-8",
    )
    python.chmod(0o755)
    own.finds(tmp_path)
    told = refused()
    assert "its clock runs " in told
    assert " fast against this machine's" in told


@pytest.mark.usefixtures("net")
def test_an_address_of_another_machine() -> None:
    """Before anybody is asked."""
    plan = make_plan([POOLED], replace(asking(ALL), listen="192.0.2.1"), seed=1)
    told = "--listen: 192.0.2.1 is no address of this machine; `ip -brief address` lists them"
    with pytest.raises(RequirementError) as caught, open_fleet(ROOT, plan, print, print):
        pass
    assert str(caught.value) == told
    with socket.socket() as probe, pytest.raises(OSError, match="address"):
        probe.bind(("192.0.2.1", 0))
