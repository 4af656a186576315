"""The delay server's build, with a tiny fake ``go``; and its own tests, with a real one."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from go_delay import build as building

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPT = Path(building.__file__)
DEADLINE_S = 20.0

# Writes what `go build -o TARGET` would.
WRITE_TARGET = """\
while [ "$1" != -o ]; do shift; done
echo '#!/bin/sh' > "$2" && chmod +x "$2"
"""


class FakeGo:
    """A ``go`` program that answers ``version``, runs a script as ``build``, and logs each call."""

    def __init__(self, folder: Path, script: str, *, version: str = "go1.27.3") -> None:
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
    """A cache folder that does not exist yet."""
    return tmp_path / "cache"


def until(holds: Callable[[], bool], what: str) -> None:
    """Poll to a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


@contextlib.contextmanager
def builder(
    cache: Path, go: FakeGo, *options: str, script: Path = SCRIPT
) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, its standard input a pipe we hold."""
    with subprocess.Popen(
        [sys.executable, script, "--cache", cache, "--go", go.path, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def names(folder: Path) -> list[str]:
    """What is in the folder."""
    return sorted(path.name for path in folder.iterdir())


# -- building and its cache


def test_builds_once_and_then_finds_it(cache: Path, tmp_path: Path) -> None:
    """The second build starts no compiler, and only the program is left in the cache."""
    go = FakeGo(tmp_path / "bin", WRITE_TARGET)
    binary = building.build(cache, go.path)
    assert building.build(cache, go.path) == binary == building.cached_binary(cache, go.path)
    assert os.access(binary, os.X_OK)
    assert names(cache) == [binary.name]
    assert go.calls() == ["version", "build"]


def test_command_prints_only_the_path(cache: Path, tmp_path: Path) -> None:
    """Standard output is the program's path, with one call of ``go version`` and one build."""
    go = FakeGo(tmp_path / "bin", f"echo noise; echo noise >&2\n{WRITE_TARGET}")
    with builder(cache, go) as process:
        out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out, err) == (0, f"{building.cached_binary(cache, go.path)}\n", "")
    assert go.calls() == ["version", "build", "version"]  # the last is this test's own


def test_path_depends_on_compiler_and_source(cache: Path, tmp_path: Path) -> None:
    """Another Go or another source is another program; tests of the server are no part of it."""
    old = FakeGo(tmp_path / "old", WRITE_TARGET, version="go1.26.1")
    new = FakeGo(tmp_path / "new", WRITE_TARGET)
    source = tmp_path / "source"
    shutil.copytree(building.SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))

    def built(go: FakeGo) -> str:
        with builder(cache, go, script=source / "build.py") as process:
            return process.communicate(timeout=DEADLINE_S)[0].strip()

    first = built(new)
    assert first == str(building.cached_binary(cache, new.path))  # where it lies plays no part
    (source / "extra_test.go").write_text("package main\n", "utf-8")
    assert built(new) == first
    (source / "extra.go").write_text("package main\n", "utf-8")
    assert len({first, built(new), built(old)}) == len(names(cache)) == 3


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
    """The message has the end of the output, is kept for others, and goes with the next build."""
    go = FakeGo(tmp_path / "bin", "seq 100; echo './main.go:7: oh dear' >&2; exit 2\n")
    with builder(cache, go) as process:
        out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (1, "")
    assert "status 2" in err
    assert str(building.SOURCE) in err
    assert err.endswith("\n99\n100\n./main.go:7: oh dear\n")
    assert "\n50\n" not in err
    binary = building.cached_binary(cache, go.path)
    assert names(cache) == [f"{binary.name}.error"]
    with pytest.raises(building.BuildError, match="oh dear") as caught:
        building.wait(cache, go.path, timeout_s=DEADLINE_S)
    assert f"remove {binary}.error" in str(caught.value)
    FakeGo(tmp_path / "bin", WRITE_TARGET)  # the same version, so the same hash
    assert building.build(cache, go.path) == binary
    assert names(cache) == [binary.name]


def test_slow_build_is_stopped(cache: Path, tmp_path: Path) -> None:
    """After the time allowed the compiler is killed and the message says so."""
    go = FakeGo(tmp_path / "bin", "sleep 600\n")
    with pytest.raises(building.BuildError, match=r"took over 0\.2 s"):
        building.build(cache, go.path, timeout_s=0.2)
    assert [Path(name).suffix for name in names(cache)] == [".error"]


def test_unwritable_cache_is_named(tmp_path: Path) -> None:
    """A cache that cannot be a folder is an error that names it."""
    go = FakeGo(tmp_path / "bin", WRITE_TARGET)
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    with pytest.raises(building.BuildError, match="choose another") as caught:
        building.build(blocked / "cache", go.path)
    assert str(blocked / "cache") in str(caught.value)


def test_concurrent_builds_are_harmless(cache: Path, tmp_path: Path) -> None:
    """Several builders at once all succeed and leave one program."""
    go = FakeGo(tmp_path / "bin", f"sleep 0.2\n{WRITE_TARGET}")
    with contextlib.ExitStack() as stack:
        builders = [stack.enter_context(builder(cache, go)) for _ in range(3)]
        ends = [process.communicate(timeout=DEADLINE_S) for process in builders]
    binary = building.cached_binary(cache, go.path)
    assert ends == [(f"{binary}\n", "")] * 3
    assert names(cache) == [binary.name]


# -- finding Go


def test_first_suitable_go_on_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is too old is passed over."""
    old = FakeGo(tmp_path / "old", "", version="go1.21.13")
    new = FakeGo(tmp_path / "new", "", version="go1.22")
    monkeypatch.setenv("PATH", f"{old.path.parent}:{new.path.parent}:/usr/bin:/bin")
    assert building.find_go(None) == new.path


def test_given_go_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unsuitable --go is an error even with a good one on PATH."""
    old = FakeGo(tmp_path / "old", "", version="go1.21.13")
    new = FakeGo(tmp_path / "new", "")
    monkeypatch.setenv("PATH", f"{new.path.parent}:/usr/bin:/bin")
    with pytest.raises(building.BuildError, match=r"too old: go1\.21, .* asks for Go 1\.22"):
        building.find_go(old.path)
    with pytest.raises(building.BuildError, match="cannot run"):
        building.find_go(tmp_path / "nowhere" / "go")


def test_no_go_is_exit_status_3(cache: Path, tmp_path: Path) -> None:
    """The command says in one line what is missing, where, and what installs it."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--cache", cache],
        env={"PATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "no `go` on PATH" in done.stderr
    assert "needs Go 1.22 or newer" in done.stderr
    assert "nox -s go" in done.stderr


# -- the lifeline, and other ways to stop

# A compiler that starts a child, as go does, tells both pids, and never ends.
NEVER_ENDS = 'sleep 600 &\necho $$ $! > "$here/pids.tmp"; mv "$here/pids.tmp" "$here/pids"; wait\n'


def started_pids(go: FakeGo) -> list[int]:
    """The pids of a NEVER_ENDS compiler and its child, once they run."""
    told = go.path.with_name("pids")
    until(told.exists, "the compiler has started")
    return [int(pid) for pid in told.read_text("utf-8").split()]


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "SIGINT"])
def test_stopped_build_leaves_nothing(how: str, cache: Path, tmp_path: Path) -> None:
    """The whole group of the compiler dies and no file is left, however the build is stopped."""
    go = FakeGo(tmp_path / "bin", NEVER_ENDS)
    with builder(cache, go, "--lifeline") as process:
        pids = started_pids(go)
        assert any(name.endswith(".building") for name in names(cache))
        if how == "end of input":
            assert process.stdin is not None
            process.stdin.close()
        else:
            process.send_signal(getattr(signal, how))
        assert process.wait(DEADLINE_S) == 130
    until(lambda: not any(building._is_alive(pid) for pid in pids), "the compiler's group is dead")
    assert names(cache) == []


def test_without_lifeline_the_end_of_input_means_nothing(cache: Path, tmp_path: Path) -> None:
    """A build started by hand with no standard input ends as any other."""
    go = FakeGo(tmp_path / "bin", f"sleep 0.3\n{WRITE_TARGET}")
    with builder(cache, go) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(DEADLINE_S) == 0


def test_what_a_killed_builder_left_is_cleared(cache: Path, tmp_path: Path) -> None:
    """After kill -9 of the builder, waiting builds anew and removes the leftovers."""
    go = FakeGo(tmp_path / "bin", NEVER_ENDS)
    with builder(cache, go) as process:
        pids = started_pids(go)
        process.kill()  # not reaped yet: a zombie must count as dead
        until(lambda: not building._is_alive(process.pid), "the builder is dead")
        assert len(names(cache)) == 2
        FakeGo(tmp_path / "bin", WRITE_TARGET)
        binary = building.wait(cache, go.path, timeout_s=DEADLINE_S)
    os.killpg(pids[0], signal.SIGKILL)
    assert names(cache) == [binary.name]


# -- waiting for another's build


def test_wait_returns_what_another_process_builds(cache: Path, tmp_path: Path) -> None:
    """No second build is started while one is under way."""
    gated = f'while ! [ -e "$here/gate" ]; do sleep 0.02; done\n{WRITE_TARGET}'
    go = FakeGo(tmp_path / "bin", gated)
    results: list[Path] = []
    with builder(cache, go, "--lifeline") as process:
        until(lambda: "build" in go.calls(), "the compiler has started")
        waiting = threading.Thread(
            target=lambda: results.append(building.wait(cache, go.path, timeout_s=DEADLINE_S))
        )
        waiting.start()
        until(lambda: go.calls().count("version") == 2, "this process looks for the program")
        go.path.with_name("gate").touch()
        waiting.join(DEADLINE_S)
        assert process.wait(DEADLINE_S) == 0
    assert results == [building.cached_binary(cache, go.path)]
    assert go.calls().count("build") == 1


def test_wait_builds_when_nobody_does(cache: Path, tmp_path: Path) -> None:
    """Without a build under way it is one."""
    go = FakeGo(tmp_path / "bin", WRITE_TARGET)
    assert building.wait(cache, go.path, timeout_s=DEADLINE_S).exists()
    assert go.calls() == ["version", "build"]


def test_wait_for_a_build_that_does_not_end(cache: Path, tmp_path: Path) -> None:
    """The deadline holds, and the message names the file that tells of the build."""
    go = FakeGo(tmp_path / "bin", NEVER_ENDS)
    with builder(cache, go, "--lifeline") as process:
        started_pids(go)
        with pytest.raises(building.BuildError, match=r"\.building tells of .* within 0\.2 s"):
            building.wait(cache, go.path, timeout_s=0.2)
        process.terminate()
        assert process.wait(DEADLINE_S) == 130


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


def fetch(ready: dict[str, Any], path: str) -> bytes:
    """The body that the server announced by ``ready`` answers with."""
    connection = http.client.HTTPConnection(ready["host"], ready["port"], timeout=DEADLINE_S)
    with contextlib.closing(connection):
        connection.request("GET", path)
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
            server.stdin.close()
            assert server.wait(DEADLINE_S) == 0
        finally:
            server.kill()
