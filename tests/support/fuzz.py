"""How much is fuzzed, and a command run as nox runs it, but in this process: some ms each."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings

from bench.cli import main

LONG = "long"  # the profile of `nox -s fuzz`
LEAST = "least"  # one example of each, to see that it runs
MORE = 25


def examples(count: int) -> settings:
    """So many examples, a third of them with the fast tests, many more in `nox -s fuzz`."""
    profile = os.environ.get("HYPOTHESIS_PROFILE", "")
    count = {LONG: MORE * count, LEAST: 1}.get(profile, count // 3)
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count, suppress_health_check=slow)


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left."""

    status: int
    out: str
    err: str


def command(*arguments: str) -> Done:
    """Run one command. Whatever it raises is a failure of the test, but for ``--help``'s exit.

    Its streams are as strict about what they can encode as a terminal's.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    before = signal.getsignal(signal.SIGTERM)
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setenv("MATRIX_NOTES", os.devnull)  # no page: each would take seconds
            status = _main([*arguments])
    finally:
        signal.signal(signal.SIGTERM, before)
    return Done(status, *(_text(stream) for stream in (out, err)))


def _main(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as leaving:
        if leaving.code == 0 and {"-h", "--help"} & {*arguments}:
            return 0
        raise


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


def check(done: Done) -> None:
    """Bad input is told in one message that can be read; success only names what it left out."""
    assert done.status in {0, 1, 2, 3}, done
    assert "Traceback" not in done.err
    assert "usage:" not in done.err
    left_out = ("left out of ", "was not made, all other reports were")
    said = [told for told in done.err.splitlines() if not any(part in told for part in left_out)]
    assert bool("".join(said).strip()) == (done.status in {2, 3}), done
    assert all(char.isprintable() or char == "\n" for char in done.err), done
    assert len(done.err) < 10_000
