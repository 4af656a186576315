"""The doctor: what it makes of what a system tells, and a real look at this one."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import pytest

from bench import doctor
from bench.doctor import (
    clock,
    container,
    cpu,
    disk,
    memory,
    network,
    processes,
    report,
    tools,
)
from bench.doctor.asked import Asked, asked
from bench.doctor.check import Check, Command, Fitness, own, root, unknown
from bench.paths import ROOT, Paths, default_python, paths
from bench.run.host.environments import own_name

GOOD, UNKNOWN, POOR, MISSING = Fitness


def commands(check: Check) -> list[str]:
    """What would help."""
    return [command.text for command in check.commands]


# -- clock

SOURCES = "/sys/devices/system/clocksource/clocksource0/current_clocksource"


@pytest.mark.parametrize(
    ("current", "available", "fitness", "fixes"),
    [
        ("tsc", "tsc kvm-clock", GOOD, []),
        ("arch_sys_counter", "arch_sys_counter", GOOD, []),
        ("hpet", "tsc hpet acpi_pm", POOR, [f"echo tsc > {SOURCES}"]),
        ("acpi_pm", "acpi_pm", POOR, []),
        (None, None, UNKNOWN, []),
    ],
)
def test_a_slow_clock_source_is_named(
    current: str | None, available: str | None, fitness: Fitness, fixes: list[str]
) -> None:
    """With the quick one that could take its place, if there is any."""
    found = clock.source(current, available)
    assert (found.fitness, commands(found)) == (fitness, fixes)


def test_what_a_reading_takes_is_measured_everywhere() -> None:
    """A clock that isn't read by a system call takes less than a microsecond."""
    assert 0 < clock.reading_ns() < 1e6
    assert clock.cost(60.0).fitness is GOOD
    assert clock.cost(1400.0).fitness is POOR


# -- processor

PSTATE = "/sys/devices/system/cpu/intel_pstate/no_turbo"
BOOST = "/sys/devices/system/cpu/cpufreq/boost"


@pytest.mark.parametrize(
    ("no_turbo", "boost", "found", "fixes"),
    [
        ("0", None, "on", [f"echo 1 > {PSTATE}"]),
        ("1", None, "off", []),
        ("1", "1", "off", []),
        (None, "1", "on", [f"echo 0 > {BOOST}"]),
        (None, "0", "off", []),
    ],
)
def test_turbo_is_found_with_either_driver(
    no_turbo: str | None, boost: str | None, found: str, fixes: list[str]
) -> None:
    """And how to turn it off."""
    check = cpu.turbo(no_turbo, boost)
    assert (check.found, commands(check)) == (found, fixes)
    assert check.fitness is (GOOD if found == "off" else POOR)


def test_smt_matters_where_parts_get_cores_of_their_own() -> None:
    """On fewer than four cores they share all of them anyway."""
    assert cpu.smt("0", 8).fitness is GOOD
    assert cpu.smt("1", 2).fitness is GOOD
    assert cpu.smt("1", 8).fitness is POOR
    assert commands(cpu.smt("1", 8)) == ["echo off > /sys/devices/system/cpu/smt/control"]


def test_what_a_system_does_not_tell_is_unknown() -> None:
    """As on macOS: neither good nor a reservation."""
    looked = [
        cpu.governor(None), cpu.turbo(None, None), cpu.smt(None, 8), clock.source(None, None),
        memory.hugepages(None, None), network.local_ports(None, 50), network.time_wait(None, None),
        network.time_wait(7, None), network.backlog(None), container.where(None, None),
    ]  # fmt: skip
    assert {one.fitness for one in looked} == {UNKNOWN}
    assert all("unknown" in one.found for one in looked)
    assert report.closing(looked) == "fit to measure, with 10 unknown"


def test_the_other_looks_at_the_processor() -> None:
    """Each where it holds, and where it just doesn't."""
    assert [cpu.cores(count).fitness for count in (3, 4)] == [POOR, GOOD]
    assert [cpu.load_average(one, 4).fitness for one in (1.3, 1.1)] == [POOR, GOOD]
    assert [cpu.governor(name).fitness for name in ("powersave", "performance")] == [POOR, GOOD]


# -- memory


@pytest.mark.parametrize(
    ("enabled", "defrag", "fitness"),
    [
        ("always [madvise] never", "always defer defer+madvise [madvise] never", GOOD),
        ("[always] madvise never", "always defer defer+madvise [madvise] never", GOOD),
        ("[always] madvise never", "[always] defer defer+madvise madvise never", POOR),
        ("always madvise [never]", "[always] defer defer+madvise madvise never", GOOD),
    ],
)
def test_huge_pages_matter_where_everybody_waits_for_them(
    enabled: str, defrag: str, fitness: Fitness
) -> None:
    """To be used and gathered for all who ask for memory."""
    found = memory.hugepages(enabled, defrag)
    assert found.fitness is fitness
    assert bool(found.commands) == (fitness is POOR)


def test_little_memory_is_a_reservation() -> None:
    """Below a gigabyte."""
    assert [memory.available(free_gb).fitness for free_gb in (0.9, 1.0)] == [POOR, GOOD]


# -- network

SOCKSTAT = """sockets: used 119
TCP: inuse 105 orphan 0 tw 1269 alloc 105 mem 0
UDP: inuse 0 mem 0
FRAG: inuse 0 memory 0"""


def test_ports_in_time_wait_are_counted() -> None:
    """A fifth of all is too many."""
    assert network.waiting(SOCKSTAT) == 1269
    assert network.waiting(None) is None
    assert network.waiting("TCP: inuse 1") is None
    assert network.time_wait(1269, 28_232).found == "1,269 of 28,232"
    assert [network.time_wait(count, 28_000).fitness for count in (5600, 5601)] == [GOOD, POOR]


def test_the_other_looks_at_the_network() -> None:
    """Each where it holds, and where it just doesn't."""
    infinite = resource.RLIM_INFINITY
    assert [network.files(256, hard, 50).fitness for hard in (299, 300, 1199, 1200, infinite)] == [
        MISSING, POOR, POOR, GOOD, GOOD,
    ]  # fmt: skip
    assert [network.local_ports(count, 50).fitness for count in (249, 250, 19_999, 20_000)] == [
        MISSING, POOR, POOR, GOOD,
    ]  # fmt: skip
    assert [network.backlog(text).fitness for text in ("128", "4096", "x")] == [
        POOR, GOOD, UNKNOWN,
    ]  # fmt: skip


# -- processes


def test_who_computes_is_named_with_its_share() -> None:
    """The heaviest first; who used less than a twentieth of a core isn't."""
    before = {(1, "init"): 5.0, (20, "chrome"): 10.0, (30, "make"): 1.0, (40, "idle"): 9.0}
    after = {(1, "init"): 5.04, (20, "chrome"): 10.3, (50, "cc1"): 0.9, (40, "idle"): 9.0}
    found = processes.heavy(before, after, 1.0)
    assert [(one.pid, one.name, round(one.cores, 2)) for one in found] == [
        (50, "cc1", 0.9),
        (20, "chrome", 0.3),
    ]
    told = processes.others(0.6, found)
    assert told.found == (
        "60% of the CPU in use; cc1 (process 50) 90% of a core; chrome (process 20) 30% of a core"
    )
    assert told.fitness is POOR
    assert processes.others(0.05, []).fitness is GOOD


def test_many_are_not_all_named() -> None:
    """Five, and how many more; a name is text whatever is in it."""
    found = [processes.Heavy(pid, "a\nb", 0.5) for pid in range(7)]
    told = processes.others(1.0, found).found
    assert told.count("of a core") == 5
    assert told.endswith("; 2 more")
    assert "\n" not in told


def test_stolen_time_is_a_reservation() -> None:
    """From a twentieth on."""
    assert [processes.stolen(share).fitness for share in (0.05, 0.06)] == [GOOD, POOR]


# -- container or virtual machine

FLAGS = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu vme {}lm\n"


@pytest.mark.parametrize(
    ("cpuinfo", "product", "release", "found"),
    [
        (FLAGS.format("hypervisor "), "QEMU Standard PC", "6.1.0", "QEMU Standard PC"),
        (FLAGS.format("hypervisor "), "", "6.1.0", "of unknown kind"),
        (FLAGS.format(""), "Dell Inc. PowerEdge", "6.1.0", ""),
        (FLAGS.format(""), "", "5.15.90.1-microsoft-standard-WSL2", "WSL"),
        ("processor : 0\nFeatures : fp asimd\n", "QEMU KVM", "6.1.0", "QEMU"),
        ("processor : 0\nFeatures : fp asimd\n", "Amazon EC2 c7g.large", "6.1.0", None),
        (None, "", None, None),
    ],
)
def test_a_virtual_machine_is_told(
    cpuinfo: str | None, product: str, release: str | None, found: str | None
) -> None:
    """By the processor's own flag, or the system's name; unknown where neither is there."""
    assert container.virtual_machine(cpuinfo, product, release) == found


@pytest.mark.parametrize(
    ("marks", "cgroup", "told", "found"),
    [
        (["Docker"], "0::/", None, "Docker"),
        ([], "12:pids:/kubepods/burstable/pod1", None, "kubepods"),
        ([], "0::/init.scope", "systemd-nspawn", "systemd-nspawn"),
        ([], "0::/init.scope", None, None),
        ([], None, None, None),
    ],
)
def test_a_container_is_told(
    marks: list[str], cgroup: str | None, told: str | None, found: str | None
) -> None:
    """By its marks, what its manager says, or its control group."""
    assert container.container(marks, cgroup, told) == found


def test_where_we_are_is_no_reservation_but_a_quota_is() -> None:
    """A machine of one's own, a container in a virtual one, half a core."""
    assert container.where(None, "").found == "neither"
    inside = container.where("Docker", "QEMU")
    assert inside.found == "container (Docker) in a virtual machine (QEMU)"
    assert (inside.fitness, bool(inside.matters)) == (GOOD, True)
    assert [container.quota(cores).fitness for cores in (None, 0.5)] == [GOOD, POOR]


# -- disk


def test_the_disk_is_measured_and_left_as_it_was(tmp_path: Path) -> None:
    """In the folder of the runs, or where it would be made; not a file stays."""
    checks = disk.looks(tmp_path / "not" / "there")
    assert [one.what for one in checks] == ["free disk", "disk speed"]
    assert list(tmp_path.iterdir()) == []
    found = disk.measure(tmp_path)
    assert found.mb_per_s > 0
    assert found.sync_ms > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux has it")
def test_a_folder_that_cannot_be_written_is_missing() -> None:
    """Nothing can be kept there, whoever asks."""
    (found,) = disk.looks(Path("/proc"))
    assert found.fitness is MISSING
    assert found.found.startswith("/proc can't be written: ")


def test_a_folder_that_can_be_no_place_has_its_line(tmp_path: Path) -> None:
    """A link to itself, a name that no system takes: told as such, or the folder above it."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for output in (tmp_path / "loop" / "reports", tmp_path / ("x" * 300)):
        assert disk.looks(output)[-1].what == "disk speed"


def test_a_slow_or_full_disk_is_a_reservation() -> None:
    """Each where it holds, and where it just doesn't."""
    speeds = [(19.0, 1.0), (20.0, 201.0), (20.0, 200.0)]
    assert [disk.speed(disk.Speed(*one)).fitness for one in speeds] == [POOR, POOR, GOOD]
    assert [disk.room(free_gb).fitness for free_gb in (1.9, 2.0)] == [POOR, GOOD]
    assert disk.unwritable(ROOT, "Read-only file system").fitness is MISSING


# -- tools


def test_our_own_python_is_found_and_says_what_it_is() -> None:
    """Version, implementation, and whether it is free-threaded."""
    found = tools.find_python(default_python())
    assert found is not None
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert tools.find_python("3.99") is None


def test_a_program_of_that_name_that_does_not_answer_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a version manager's stand-in for a Python that isn't installed."""
    shim = tmp_path / "python3.77"
    shim.write_text("#!/bin/sh\necho 'python3.77: command not found' >&2\nexit 127\n", "utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tools.find_python("3.77") is None


def test_pythons_of_the_matrix_are_listed() -> None:
    """One that isn't there costs its cells; free-threaded builds are said to be."""
    builds = {
        "3.12": tools.Build("3.12.4", "CPython", free_threaded=False),
        "3.14": tools.Build("3.14.0", "CPython", free_threaded=True),
    }
    found = tools.pythons(builds)
    assert found.found == "3.12: CPython 3.12.4; 3.14: CPython 3.14.0, free-threaded"
    assert found.fitness is GOOD
    lacking = tools.pythons({"3.12": builds["3.12"], "3.13": None})
    assert lacking.found == "3.12: CPython 3.12.4; 3.13: not found"
    assert lacking.fitness is POOR
    assert commands(lacking) == ["uv python install 3.13"]


def test_pythons_are_in_the_order_of_their_age(tmp_path: Path) -> None:
    """A build without the interpreter's lock after the one with it."""
    file = tmp_path / "experiments.yaml"
    text = (ROOT / "experiments.yaml").read_text("utf-8")
    named = 'server: [uvicorn]\n  python: ["3.14t", "3.14", "3.10"]'
    file.write_text(text.replace("server: [uvicorn, gunicorn, hypercorn]", named), "utf-8")
    found = asked(paths(), file)
    assert isinstance(found, Asked)
    assert found.pythons == ("3.10", "3.14", "3.14t")


def test_what_the_matrix_asks_for_is_read(tmp_path: Path) -> None:
    """Its Pythons and its usual users; a file that can't be read has a line of its own."""
    whole = asked(paths())
    assert isinstance(whole, Asked)
    assert whole.pythons
    assert whole.users > 0
    text = 'matrix: {endpoint: [sync], io: [json], server: [uvicorn], python: ["3"]}'
    (tmp_path / "experiments.yaml").write_text(text, "utf-8")
    broken = asked(Paths(root=tmp_path, notes=tmp_path))
    assert isinstance(broken, Check)
    assert broken.fitness is POOR
    assert "experiments.yaml" in broken.what


def test_a_browser_is_found_where_playwright_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest; else one on PATH; without any only the page's tests lack something."""
    for name in ("chromium-999", "chromium_headless_shell-1194", "chromium-x", "firefox-2000"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert tools.find_chromium() == "Playwright's chromium_headless_shell-1194"
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert tools.find_chromium() is None
    assert (tools.chromium(None).fitness, bool(tools.chromium(None).commands)) == (GOOD, True)


def test_a_redis_is_wanted_by_one_io_kind_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program here, or the address of one; without either nothing else is worse."""
    monkeypatch.delenv("MATRIX_REDIS", raising=False)
    assert tools.redis("/usr/bin/redis-server").found == "/usr/bin/redis-server"
    assert tools.redis(None).found == "not found"
    assert tools.redis(None).fitness is GOOD
    monkeypatch.setenv("MATRIX_REDIS", "redis://:sesame@here")
    assert tools.redis(None).found == "yours, by MATRIX_REDIS"


# -- all of it

CHECKS = [
    Check("cores", "2", POOR, "they share them", "compare, don't quote"),
    Check("turbo", "on", POOR, "it varies", "turn it off", (root(f"echo 1 > {PSTATE}"),)),
    Check("Chromium", "not found", GOOD, commands=(own("playwright install chromium"),)),
    unknown("SMT"),
]


def test_a_line_says_what_was_found_whether_it_matters_and_what_to_do() -> None:
    """A table, and a closing word."""
    lines = report.table(CHECKS).splitlines()
    assert "they share them: compare, don't quote" in lines[2]
    assert lines[5].split(maxsplit=2) == ["unknown", "SMT", "unknown: this system doesn't tell"]
    assert report.closing(CHECKS) == "fit to measure, with 2 reservations and 1 unknown"
    assert report.closing(CHECKS[2:3]) == "fit to measure"
    lacking = [*CHECKS, Check("disk", "read-only", MISSING)]
    assert report.closing(lacking) == "not fit to measure: 1 missing"


def test_commands_are_printed_by_who_may_run_them() -> None:
    """Each with what it is for."""
    assert report.remedies(CHECKS) == (
        "These commands would help; none of them was run.\n"
        f"as root:\n  echo 1 > {PSTATE}  # turbo\n"
        "as yourself:\n  playwright install chromium  # Chromium"
    )
    assert report.remedies(CHECKS[:1]) == "No command would help."
    assert Command("x", root=True) == root("x")


WHATS = [
    *("other programs", "other runs", "cores", "load average", "CPU governor", "turbo", "SMT"),
    *("container or VM", "CPU quota", "clock source", "clock", "memory", "huge pages"),
    *("open files", "local ports", "ports in TIME_WAIT", "listen backlog", "free disk"),
    *("disk speed", "Python builds", "environments", "Go toolchain", "Chromium", "profiling"),
]


def test_a_real_look_at_this_machine(tmp_path: Path) -> None:
    """Every topic has its line; the status says whether anything needed is missing."""
    text, status = doctor.examine(paths(), tmp_path, fix=True)
    missing = [line for line in text.splitlines() if line.startswith("missing")]
    assert status == (3 if missing else 0)
    for what in WHATS:
        assert any(f"  {what}  " in line for line in text.splitlines()), what
    assert "command" in text.splitlines()[-1] or "#" in text.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_makes_it_unfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that can't be used, as no run could start; reservations alone don't."""
    (tmp_path / "lock").mkdir()
    monkeypatch.setenv("MATRIX_LOCK", str(tmp_path / "lock"))
    where = Paths(root=ROOT, notes=tmp_path / "notes")
    text, status = doctor.examine(where, tmp_path, fix=False)
    assert status == 3
    assert "not fit to measure: 1 missing" in text
    assert "of them was run" not in text


@pytest.mark.parametrize(
    ("scope", "root", "told"),
    [
        ("0\n", False, "allowed (ptrace_scope 0)"),
        ("1\n", False, "allowed (ptrace_scope 1)"),
        ("2\n", False, "forbidden (ptrace_scope 2)"),
        ("2\n", True, "allowed (ptrace_scope 2)"),
        ("3\n", True, "forbidden (ptrace_scope 3)"),
        (None, False, "the system sets no limit that can be seen"),
    ],
)
def test_whether_a_profiler_may_look(scope: str | None, root: bool, told: str) -> None:  # noqa: FBT001
    """By Yama's four values; nothing that is measured hangs on it."""
    found = tools.profiler(scope, root=root)
    assert (found.fitness, found.found) == (GOOD, told)
    assert bool(found.commands) == told.startswith("forbidden")


def test_it_looks_for_an_own_application_too(tmp_path: Path) -> None:
    """At what its file asks for, and at its environments."""
    file = ROOT / "examples" / "shop" / "bench.yaml"
    where = Paths(root=ROOT, notes=tmp_path / "notes")
    wanted = asked(where, file)
    assert isinstance(wanted, Asked)
    assert wanted.target is not None
    (before,) = tools.own_environments(where, wanted)
    assert (before.what, before.found) == ("environments of shop", "not made yet")
    (server, python), *_ = wanted.environments
    where.notes.mkdir()
    note = where.notes / f"{own_name(wanted.target.path, server, python)}.json"
    note.write_text(json.dumps({"python": sys.executable, "error": None, "asked": ""}), "utf-8")
    assert tools.own_environments(where, wanted)[0].found == f"{server}-{python}"
    note.write_text(json.dumps({"python": sys.executable, "error": "no such package"}), "utf-8")
    (failed,) = tools.own_environments(where, wanted)
    assert failed.fitness is POOR
    assert "no such package" in failed.found
    (tmp_path / "bad.yaml").write_text("target: 3", encoding="utf-8")
    wrong = asked(where, tmp_path / "bad.yaml")
    assert isinstance(wrong, Check)
    assert wrong.what == "bad.yaml"
