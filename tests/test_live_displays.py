"""What a person sees while a run goes on, on a terminal and elsewhere."""

from __future__ import annotations

import errno
import io
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from bench.live.terminal import Live
from bench.paths import ROOT
from tests.support.live_run import tell
from tests.support.pty import Terminal

RUN = [sys.executable, "-m", "tests.support.live_run"]
END = ("2 rough", "All of it: reports/latest.md")
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def piped(*words: str) -> subprocess.CompletedProcess[str]:
    """Without a terminal."""
    return subprocess.run(
        [*RUN, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_terminal_shows_a_region_of_which_nothing_stays() -> None:
    """Pass, time left, trial, last results; in the end what was said and the message alone."""
    terminal = Terminal([*RUN, "waits"])
    terminal.until(lambda t: any("4 failed" in line for line in t.lines))
    shown = "\n".join(terminal.lines)
    assert "pass 1: each of 2 cells" in shown
    assert "of 12:00 left" in shown
    assert "sync_http-uvicorn-w1" in shown
    assert "100 requests/s  4 failed  50 in flight" in shown
    assert "pool-bound: 40 of 40 threads busy" in shown
    terminal.process.send_signal(signal.SIGINT)
    terminal.close()

    seen = Terminal([*RUN, "whole"]).close()
    assert seen.status == 0
    assert seen.history == (
        "run 20260304-050607-aaaaaa: 2 cells", "trials.jsonl:2 is corrupt", *END
    )  # fmt: skip


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.real),
        pytest.param(signal.SIGHUP, marks=pytest.mark.real),
    ],
)
def test_however_it_is_interrupted_the_terminal_is_as_before(number: signal.Signals) -> None:
    """The region is gone, the cursor there, and the last line is the message of the end."""
    terminal = Terminal([*RUN, "waits"])
    terminal.until(lambda t: any("4 failed" in line for line in t.lines))
    terminal.process.send_signal(number)
    seen = terminal.close()
    assert seen.status == 130
    assert seen.screen[-1] == (
        "interrupted: what was measured is kept, and the same command resumes there"
    )
    assert not any("in flight" in line or "left" in line for line in seen.screen)
    assert not seen.cursor_hidden


def test_a_bug_leaves_the_terminal_as_before() -> None:
    """Its traceback stands where the region was, and what to do is the last line."""
    seen = Terminal([*RUN, "breaks"]).close()
    assert seen.status == 70
    assert "please report the lines above." in "".join(seen.screen[-2:])
    assert "RuntimeError: a bug" in seen.history
    assert not any("in flight" in line for line in seen.history)
    assert not seen.cursor_hidden


def test_the_cursor_is_there_even_if_it_is_killed() -> None:
    """Nothing can restore it then, so it is never hidden for longer than one write."""
    terminal = Terminal([*RUN, "waits"])
    terminal.until(lambda t: any("4 failed" in line for line in t.lines))
    terminal.process.kill()
    seen = terminal.close()
    assert not seen.cursor_hidden
    assert seen.raw.rindex(SHOW) > seen.raw.rindex(HIDE)


@pytest.mark.parametrize(
    ("columns", "lines", "environment"),
    [
        (100, 30, {"TERM": "dumb"}),
        (100, 30, {"CI": "true"}),
        (30, 30, {}),
        (100, 6, {}),
    ],
)
def test_where_nothing_can_be_drawn_over_there_are_lines(
    columns: int, lines: int, environment: dict[str, str]
) -> None:
    """A dumb terminal, CI, one too small: no escape sequence at all."""
    seen = Terminal([*RUN, "whole"], columns=columns, lines=lines, environment=environment).close()
    assert b"\x1b" not in seen.raw
    assert b"requests/s" in seen.raw


def test_no_color_has_none() -> None:
    """NO_COLOR: the region is drawn over, but nothing in it has a colour."""
    coloured, plain = (
        Terminal([*RUN, "whole"], environment=environment).close().raw
        for environment in ({}, {"NO_COLOR": "1"})
    )
    assert b"\x1b[36m" in coloured
    assert not any(f"\x1b[{code}m".encode() in plain for code in range(30, 38))


@pytest.mark.parametrize(
    "columns",
    [40, pytest.param(60, marks=pytest.mark.real), pytest.param(80, marks=pytest.mark.real)],
)
def test_no_line_wraps(columns: int) -> None:
    """A line that wraps could not be taken back: nothing of the region stays, however narrow."""
    seen = Terminal([*RUN, "whole"], columns=columns).close()
    told = ("run 20260304-050607-aaaaaa: 2 cells", "trials.jsonl:2 is corrupt", *END)
    assert seen.history == told


def test_elsewhere_each_trial_is_a_line() -> None:
    """As in a file or a pipe; problems go to stderr."""
    done = piped("whole")
    assert done.returncode == 0
    first, *trials = done.stdout.splitlines()
    assert first.startswith("run 2026")
    assert len(trials) == 6 + len(END)
    assert trials[0].startswith("[1 | 0:04 of 12:00 | pass 1]")
    assert done.stderr == "trials.jsonl:2 is corrupt\n"
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet_tells_problems_and_the_end(*, terminal: bool) -> None:
    """On a terminal, too: a trial that failed is a problem."""
    if terminal:
        seen = Terminal([*RUN, "whole", "--quiet"])
        told = [*seen.close().history]
    else:
        done = piped("whole", "--quiet")
        told = [*done.stderr.splitlines(), *done.stdout.splitlines()]
    assert told[0] == "trials.jsonl:2 is corrupt"
    assert "it did not start" in told[1]
    assert tuple(told[-2:]) == END
    assert len(told) == 4


def test_a_run_that_nobody_sees_any_more_goes_on() -> None:
    """A closed terminal refuses what is drawn, and that ends nothing."""
    live = Live(Console(file=Gone(), force_terminal=True, width=100, height=30))
    tell(live, "whole")
    live.close()


class Gone(io.StringIO):
    """The file of a terminal that was closed."""

    def write(self, _: str) -> int:
        """As Linux has it."""
        raise OSError(errno.EIO, "Input/output error")
