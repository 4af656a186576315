"""What nox noted: usable environments, and the reason where one is not."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.run.host import environments
from bench.run.host.environments import Environment

LOCK = b"uvicorn==0.30.1 --hash=sha256:ab\n"
SHA256 = hashlib.sha256(LOCK).hexdigest()
NAME = "server-uvicorn-3.12"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a lock file, and a place for notes."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "server-uvicorn.txt").write_bytes(LOCK)
    (tmp_path / "notes").mkdir()
    return tmp_path


def found(root: Path, note: Any) -> Environment:
    """The environment of which nox left this word (none, if None)."""
    if note is not None:
        (root / "notes" / f"{NAME}.json").write_text(json.dumps(note), "utf-8")
    return environments.find(root / "notes", root, "server-uvicorn", "3.12")


def test_an_environment_that_fits_its_lock_is_usable(root: Path) -> None:
    """With its interpreter and the hash of what it was installed from."""
    note = {"python": sys.executable, "lock_sha256": SHA256}
    assert found(root, note) == Environment(NAME, Path(sys.executable), SHA256)


def test_without_word_from_nox_it_is_skipped(root: Path) -> None:
    """No interpreter is no failure; the row says which one."""
    environment = found(root, None)
    assert (environment.python, environment.skipped) == (None, True)
    assert environment.reason is not None
    assert environment.reason.startswith(f"no environment {NAME}: nox found no Python 3.12")


def test_a_failed_installation_is_told_as_it_was(root: Path) -> None:
    """That is a failure, and its reason comes from the installer."""
    environment = found(root, {"error": "no matching distribution", "lock_sha256": SHA256})
    assert environment == Environment(
        NAME, None, SHA256, f"environment {NAME}: no matching distribution"
    )


@pytest.mark.parametrize(
    "note",
    [
        {"python": sys.executable, "lock_sha256": "of another lock"},
        {"python": sys.executable},
        {"python": "/nowhere/python", "lock_sha256": SHA256},
        {"lock_sha256": SHA256},
        {},
    ],
)
def test_an_environment_that_does_not_fit_its_lock_is_out_of_date(root: Path, note: Any) -> None:
    """Versions that are not the locked ones would be measured under a wrong name."""
    reason = f"environment {NAME} is out of date: run it through nox, which renews it"
    assert found(root, note) == Environment(NAME, None, SHA256, reason)


def test_an_environment_without_a_lock_is_not_usable(root: Path) -> None:
    """Whatever the note says."""
    (root / "requirements" / "server-uvicorn.txt").unlink()
    environment = found(root, {"python": sys.executable, "lock_sha256": SHA256})
    assert environment.python is None


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b"3", b'"word"', b"null"])
def test_a_damaged_note_is_a_row_and_no_crash(root: Path, text: bytes) -> None:
    """It never raises."""
    (root / "notes" / f"{NAME}.json").write_bytes(text)
    environment = found(root, None)
    assert environment.python is None
    assert environment.reason


def test_an_environment_tells_its_versions() -> None:
    """Python's, and each package's under its name in lower case."""
    told = environments.describe(Path(sys.executable))
    assert told["python"] == platform.python_version()
    assert told["implementation"] == platform.python_implementation()
    packages = told["packages"]
    assert isinstance(packages, dict)
    assert packages["pytest"] == pytest.__version__
    assert list(packages) == sorted(packages)


def test_an_interpreter_that_fails_is_an_os_error(tmp_path: Path) -> None:
    """With the end of what it said."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(OSError, match="can't be run: broken"):
        environments.describe(broken)
    with pytest.raises(OSError, match="nowhere"):
        environments.describe(tmp_path / "nowhere")


def test_go_tells_its_version_or_nothing(tmp_path: Path) -> None:
    """A toolchain that can't be asked is no reason to stop."""
    go = tmp_path / "go"
    go.write_text('#!/bin/sh\n[ "$*" = "env GOVERSION" ] && echo go1.23.1\n')
    go.chmod(0o755)
    assert environments.go_version(go) == "go1.23.1"
    go.write_text("#!/bin/sh\nexit 1\n")
    assert environments.go_version(go) is None
    assert environments.go_version(tmp_path / "nowhere") is None
    assert environments.go_version(None) is None
