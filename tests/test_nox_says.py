"""What a person sees of nox around a command of ours: nothing, if all is there."""

from __future__ import annotations

import os
import subprocess

import pytest

from bench.paths import ROOT
from tests.support.pty import Seen, Terminal

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(180),
    pytest.mark.skipif("MATRIX_NOX" not in os.environ, reason="MATRIX_NOX names no nox"),
]


def nox(*words: str) -> Seen:
    """On a terminal, with the environments that the nox around this one has made."""
    words = (os.environ.get("MATRIX_NOX", ""), "-m", "nox", *words)
    return Terminal(words, columns=250, lines=40).close(120)


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """The harness's environment is there."""
    subprocess.run(
        [os.environ["MATRIX_NOX"], "-m", "nox", "-s", "harness"],
        cwd=ROOT, capture_output=True, timeout=170, check=True,
    )  # fmt: skip


def test_a_warm_start_shows_the_command_alone() -> None:
    """No line about environments or sessions before it, and none after it."""
    seen = nox("-s", "plan")
    assert seen.status == 0
    assert seen.history[0].split() == ["trial", "round", "cell", "route"]
    assert seen.history[-1].startswith("These are the first two passes.")
    assert not any("nox >" in line for line in seen.history)


def test_a_refused_command_ends_with_our_message() -> None:
    """And with our exit status, whatever nox would say of aborted sessions."""
    seen = nox("-s", "single", "--", "sync_jsn")
    assert seen.status == 2
    assert len(seen.history) == 1
    assert seen.history[0].startswith("single: found sync_jsn, allowed: an experiment, a cell or")


def test_problems_go_to_stderr() -> None:
    """So that a file of what was asked for holds that alone."""
    words = [os.environ["MATRIX_NOX"], "-m", "nox", "-s", "compare", "--", "no", "such"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no" in done.stderr
    assert "nox >" not in done.stderr


def test_the_developing_sessions_are_told_as_nox_does() -> None:
    """What lint runs is news to whom it fails for; and `nox -v` tells everything."""
    seen = nox("-v", "-s", "doctor")
    assert any("nox > Running session harness" in line for line in seen.history)
