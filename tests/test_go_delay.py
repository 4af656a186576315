"""The delay server's build, with a tiny fake ``go``; and its own tests, with a real one."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bench.errors import RequirementError
from bench.paths import ROOT, Paths
from bench.run import lab
from bench.run.server.delay_page import DelayPage
from bench.stats import histogram_percentile
from go_delay import build as building

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 20.0

# Writes what `go build -o TARGET` would.
WRITE_TARGET = """\
while [ "$1" != -o ]; do shift; done
echo '#!/bin/sh' > "$2" && chmod +x "$2"
"""


class FakeGo:
    """A ``go`` program that answers ``version``, runs a script as ``build``, and logs each call."""

    def __init__(
        self, folder: Path, script: str = WRITE_TARGET, *, version: str = "go1.27.3"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "go"
        self.log = folder / "calls.txt"
        self.path.write_text(
            "#!/bin/sh\n"
            f'echo "$1" >> "{self.log}"\n'
            'if [ "$1" = version ]; then\n'
            f'  echo "go version {version} linux/amd64"; exit 0\n'
            "fi\n"
            f'here="{folder}"\n'
            f"{script}",
            encoding="utf-8",
        )
        self.path.chmod(0o755)

    def calls(self) -> list[str]:
        """The subcommands it was called with, in order."""
        return self.log.read_text("utf-8").split() if self.log.exists() else []


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where programs are built to; not there yet."""
    return tmp_path / "cache"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the server's source, which is built instead."""
    copy = tmp_path / "source"
    shutil.copytree(building.SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(building, "SOURCE", copy)
    return copy


def until(holds: Callable[[], bool], what: str) -> None:
    """Poll to a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


def names(folder: Path) -> list[str]:
    """What is in the folder."""
    return sorted(path.name for path in folder.iterdir())


def noted(folder: Path, word: Any) -> Path:
    """The note that nox would leave."""
    path = folder / "go.json"
    path.write_text(json.dumps(word), "utf-8")
    return path


def runs(pid: int) -> bool:
    """Whether the process still does; a zombie that nobody reaps does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# -- building


def test_builds_once_and_then_finds_it(cache: Path, tmp_path: Path) -> None:
    """The second build starts no compiler, and only the program is left in the folder."""
    go = FakeGo(tmp_path / "bin", f"echo noise; echo noise >&2\n{WRITE_TARGET}")
    binary = building.build(cache, go.path)
    assert building.build(cache, go.path) == binary
    assert os.access(binary, os.X_OK)
    assert names(cache) == [binary.name]
    assert go.calls() == ["version", "build"]


def test_path_depends_on_compiler_and_source(cache: Path, source: Path, tmp_path: Path) -> None:
    """Another Go or another source is another program; tests of the server are no part of it."""
    old = FakeGo(tmp_path / "old", version="go1.26.1")
    new = FakeGo(tmp_path / "new")
    first = building.build(cache, new.path)
    (source / "extra_test.go").write_text("package main\n", "utf-8")
    assert building.build(cache, new.path) == first
    (source / "extra.go").write_text("package main\n", "utf-8")
    built = {first, building.build(cache, new.path), building.build(cache, old.path)}
    assert len(built) == len(names(cache)) == 3


def test_settings_for_other_projects_do_not_reach_the_build(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GOFLAGS, GOOS and the like are dropped, and nothing is fetched."""
    for key, value in {"GOFLAGS": "-race", "GOOS": "plan9", "GOPROXY": "direct"}.items():
        monkeypatch.setenv(key, value)
    go = FakeGo(tmp_path / "bin", f'env > "$here/env.txt"\n{WRITE_TARGET}')
    building.build(cache, go.path)
    env = dict(
        line.partition("=")[::2]
        for line in (tmp_path / "bin" / "env.txt").read_text("utf-8").splitlines()
    )
    assert {"GOFLAGS", "GOOS"}.isdisjoint(env)
    assert (env["GOPROXY"], env["GOTOOLCHAIN"], env["CGO_ENABLED"]) == ("off", "local", "0")


def test_failure_says_what_the_compiler_said(cache: Path, tmp_path: Path) -> None:
    """The end of it; nothing is left, and the next build tries again."""
    go = FakeGo(tmp_path / "bin", "seq 100; echo './main.go:7: oh dear' >&2; exit 2\n")
    word = building.note(cache, go.path)
    assert (word["go"], word["server"]) == (str(go.path), None)
    said = word["error"]
    assert f"`go build` of the delay server in {building.SOURCE} ended with status 2" in said
    assert said.endswith("\n99\n100\n./main.go:7: oh dear")
    assert "\n50\n" not in said
    assert names(cache) == []
    assert not building.is_current(noted(tmp_path, word))
    FakeGo(tmp_path / "bin")  # the same version, so the same name
    assert building.build(cache, go.path).exists()


def test_unwritable_folder_is_named(tmp_path: Path) -> None:
    """So is a Go that isn't there."""
    go = FakeGo(tmp_path / "bin")
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    with pytest.raises(building.BuildError, match=re.escape(f"{blocked}/cache with {go.path}: ")):
        building.build(blocked / "cache", go.path)
    with pytest.raises(building.BuildError, match=r"No such file .*nowhere/go"):
        building.build(tmp_path / "cache", tmp_path / "nowhere" / "go")


# A compiler that starts a child, as go does, tells both pids, and never ends.
NEVER_ENDS = """\
while [ "$1" != -o ]; do shift; done
echo half > "$2"
sleep 600 &
echo $$ $! > "$here/pids.tmp"; mv "$here/pids.tmp" "$here/pids"; wait
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_build_leaves_nothing(
    cache: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """The compiler and what it started die, and no file of theirs is left."""
    go = FakeGo(tmp_path / "bin", NEVER_ENDS)
    script = f"from pathlib import Path; from go_delay.build import build; \
build(Path({str(cache)!r}), Path({str(go.path)!r}))"
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            told = go.path.with_name("pids")
            until(told.exists, "the compiler has started")
            assert len(names(cache)) == 1
            process.send_signal(number)
            process.communicate(timeout=DEADLINE_S)
            assert process.returncode != 0
        finally:
            process.kill()
    pids = [int(pid) for pid in told.read_text("utf-8").split()]
    until(lambda: not any(map(runs, pids)), "the compiler's group is dead")
    assert names(cache) == []


def test_what_a_killed_build_left_is_swept_by_the_next(cache: Path, tmp_path: Path) -> None:
    """A folder of a process that is no more; another's build under way stays."""
    cache.mkdir()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (cache / f"work-{ended.pid}-x").mkdir()
    (cache / f"work-{os.getppid()}-x").mkdir()
    building.build(cache, FakeGo(tmp_path / "bin").path)
    assert [name for name in names(cache) if name.startswith("work-")] == [f"work-{os.getppid()}-x"]


# -- what nox leaves a note of


def test_a_note_is_current_while_nothing_changes(
    cache: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source, toolchain, the Go on PATH, the lock and the program; no Go is started to tell."""
    go = FakeGo(tmp_path / "bin")
    word = building.note(cache, go.path)
    note = noted(tmp_path, word)
    assert building.is_current(note)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(go.path.parent))
        assert not building.is_current(note)
    with monkeypatch.context() as patch:
        patch.setattr(building, "LOCK", source / "go.mod")
        assert not building.is_current(note)
    (source / "extra.go").write_text("package main\n", "utf-8")
    assert not building.is_current(note)
    (source / "extra.go").unlink()
    assert building.is_current(note)
    os.utime(go.path, ns=(1, 1))
    assert not building.is_current(note)
    note = noted(tmp_path, building.note(cache, go.path))
    assert building.is_current(note)
    Path(word["server"]).unlink()
    assert not building.is_current(note)
    assert go.calls() == ["version", "build"]


@pytest.mark.parametrize("word", [None, [], {}, {"go": 3, "source": []}])
def test_what_is_no_note_is_not_current(tmp_path: Path, word: Any) -> None:
    """Left by another version, or by a full disk."""
    assert not building.is_current(tmp_path / "go.json")
    assert not building.is_current(noted(tmp_path, word))


def test_the_harness_takes_only_a_server_of_the_present_source(
    cache: Path, source: Path, tmp_path: Path
) -> None:
    """Else it says what is wrong and which session sees to that."""

    def refused() -> str:
        with pytest.raises(RequirementError, match="try `nox -s go`") as caught:
            lab._delay_server(Paths(tmp_path, tmp_path))
        return str(caught.value)

    assert "nox has not built it" in refused()
    word = building.note(cache, FakeGo(tmp_path / "bin").path)
    noted(tmp_path, word)
    assert lab._delay_server(Paths(tmp_path, tmp_path)) == Path(word["server"])
    (source / "extra.go").write_text("package main\n", "utf-8")
    assert "its source has changed" in refused()
    noted(tmp_path, word | {"server": None, "error": "oh dear"})
    assert refused().endswith("oh dear")


# -- finding Go


def test_first_suitable_go_on_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is too old is passed over, and so is what is no Go."""
    old = FakeGo(tmp_path / "old", version="go1.21.13")
    no_go = tmp_path / "shim" / "go"
    no_go.parent.mkdir()
    no_go.write_text("#!/bin/sh\necho pyenv: go1.27: command not found >&2; exit 127\n", "utf-8")
    no_go.chmod(0o755)
    new = FakeGo(tmp_path / "new", version="go1.22")
    path = [old.path.parent, no_go.parent, new.path.parent]
    monkeypatch.setenv("PATH", ":".join(map(str, [*path, "/usr/bin", "/bin"])))
    assert building.find_go(None) == new.path


def test_given_go_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unsuitable one is an error even with a good one on PATH."""
    old = FakeGo(tmp_path / "old", version="go1.21.13")
    new = FakeGo(tmp_path / "new")
    monkeypatch.setenv("PATH", f"{new.path.parent}:/usr/bin:/bin")
    with pytest.raises(building.NoGoError, match=r"go1\.21\.13 .* needs Go 1\.22 or newer"):
        building.find_go(old.path)
    with pytest.raises(building.NoGoError, match="No such file"):
        building.find_go(tmp_path / "go1.27" / "bin" / "go")


def test_no_go_says_what_installs_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line: what is missing, for what, and what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(building.NoGoError) as caught:
        building.find_go(None)
    assert str(caught.value) == (
        f"no `go` on PATH: the delay server in {building.SOURCE} needs Go 1.22 or newer; "
        "`nox -s go` installs one where PATH has none"
    )


# -- the real thing


def real_go() -> Path:
    """The Go in MATRIX_GO, else on PATH; skips the test where there is none."""
    given = os.environ.get("MATRIX_GO")
    try:
        return building.find_go(Path(given) if given else None)
    except building.NoGoError as error:
        if given:
            raise  # asked for by name: a skip would hide that it is broken
        pytest.skip(str(error))


def run_go(*arguments: str | Path) -> str:
    """Run in the server's folder, and show all it said when it fails."""
    done = subprocess.run(
        arguments,
        cwd=building.SOURCE,
        env={**os.environ, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.mark.real
def test_server_is_formatted_vetted_and_passes_its_tests() -> None:
    """Gofmt, go vet and go test; with the race detector where there is a C compiler for it."""
    go = real_go()
    root, cgo = run_go(go, "env", "GOROOT", "CGO_ENABLED").splitlines()
    assert not run_go(Path(root, "bin", "gofmt"), "-l", "."), "not formatted; run gofmt -w"
    run_go(go, "vet", "./...")
    run_go(go, "test", *(["-race"] if cgo == "1" else []), "./...")


def fetch(ready: dict[str, Any], path: str, method: str = "GET") -> bytes:
    """The body that the server announced by ``ready`` answers with."""
    connection = http.client.HTTPConnection(ready["host"], ready["port"], timeout=DEADLINE_S)
    with contextlib.closing(connection):
        connection.request(method, path)
        return connection.getresponse().read()


@pytest.mark.real
def test_built_server_serves_and_shares_our_clock(cache: Path) -> None:
    """The program starts, waits as asked, stamps in this process's clock and goes with its pipe."""
    binary = building.build(cache, real_go())
    with subprocess.Popen(
        [binary, "-keep-alive-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            ready = json.loads(server.stdout.readline())
            assert (ready["schema"], ready["pid"]) == (1, server.pid)
            before_ns = time.monotonic_ns()
            assert fetch(ready, "/?waitms=50") == b'{"waited_ms":50}'
            stats = json.loads(fetch(ready, "/stats"))
            assert before_ns + 50_000_000 <= stats["monotonic_ns"] <= time.monotonic_ns()
            assert (stats["started"], stats["served"], stats["in_flight"]["peak"]) == (1, 1, 1)
            for wait_ms in range(20):
                fetch(ready, f"/?waitms={wait_ms}")
            late = json.loads(fetch(ready, "/stats"))["overshoot_ms"]
            assert sum(count for _, count in late["buckets"]) == late["count"] == 21
            for q in (50, 90, 99):  # by the same definition
                ours = histogram_percentile(late["buckets"], q)
                assert ours is not None
                # The server says the largest itself rather than its bucket's middle.
                assert min(ours / 1e6, late["max"]) == late[f"p{q}"]
            server.stdin.close()
            assert server.wait(DEADLINE_S) == 0
        finally:
            server.kill()


@pytest.mark.real
def test_the_page_tells_what_the_server_answers(cache: Path, tmp_path: Path) -> None:
    """Without a request, in this process's clock, from the last reset on."""
    binary, path = building.build(cache, real_go()), tmp_path / "page.bin"
    with subprocess.Popen(
        [binary, "-keep-alive-stdin", "-page", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        try:
            ready = json.loads(server.stdout.readline())
            page = DelayPage(path)
            threads = [
                threading.Thread(target=fetch, args=(ready, f"/?waitms={ms}"))
                for ms in (50, 90, 400)
            ]
            for thread in threads:
                thread.start()
            threads[1].join()
            stats = json.loads(fetch(ready, "/stats"))
            assert stats["in_flight"]["now"] == 1
            assert page.in_flight_ns(stats["monotonic_ns"]) == stats["in_flight"]["integral_ns"]
            fetch(ready, "/reset", "POST")
            reset_ns = time.monotonic_ns()
            threads[2].join()
            # The third was asked before the reset, and counts from then on.
            counted_ns = page.in_flight_ns(time.monotonic_ns())
            assert counted_ns is not None
            assert 0 < counted_ns < time.monotonic_ns() - reset_ns + 10_000_000
        finally:
            server.kill()
