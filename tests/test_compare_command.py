"""`compare` as a gate: exit statuses, and what is no pass."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.cli import main
from bench.records.journal import TRIALS_FILE, append
from bench.run.history.run_folders import create
from tests.support.records import measured, run, trial

if TYPE_CHECKING:
    from pathlib import Path

NOISE = (1.0, 1.01, 0.99, 1.005, 0.995, 1.0)


def recorded(output: Path, name: str, *, rounds: int, cost: float = 1.0, cpu: str = "one") -> None:
    """A run of so many rounds whose requests cost so many times the CPU."""
    folder = output / "runs" / name
    create(folder, run(id=name, host=replace(run().host, cpu=cpu)))
    for number in range(1, rounds + 1):
        figures = measured(server_ms_per_request=5.0 * cost * NOISE[number - 1])
        made = trial(run=name, round=number, index=number, measured=figures)
        append(folder / TRIALS_FILE, made)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Four runs: as it was, 20 % dearer, on another machine, and a short one."""
    recorded(tmp_path, "before", rounds=6)
    recorded(tmp_path, "dearer", rounds=6, cost=1.2)
    recorded(tmp_path, "elsewhere", rounds=6, cpu="another")
    recorded(tmp_path, "short", rounds=1, cost=1.2)
    return tmp_path


def test_a_regression_fails_where_it_is_asked_to(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is only told where not."""
    arguments = ["compare", "before", "dearer", "--output", str(output)]
    assert main(arguments) == 0
    assert "worse: sync_http-uvicorn-w1" in capsys.readouterr().out
    assert main([*arguments, "--fail-on", "regression"]) == 1
    back = ["compare", "dearer", "before", "--output", str(output), "--fail-on", "regression"]
    assert main(back) == 0


def test_json_is_for_programs(output: Path, tmp_path: Path) -> None:
    """Each metric of each cell with its ratio, interval and word."""
    path = tmp_path / "compared.json"
    main(["compare", "before", "dearer", "--output", str(output), "--json", str(path)])
    (cell,) = json.loads(path.read_text("utf-8"))["cells"]
    assert cell["steadiest"] is not None
    assert '"worse"' in json.dumps(cell)


def test_what_could_not_be_judged_is_no_pass(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One round is too few for any verdict: the gate stays shut, with the remedy."""
    arguments = ["compare", "before", "short", "--output", str(output)]
    assert main(arguments) == 0
    assert main([*arguments, "--fail-on", "regression"]) == 2
    assert "`--rounds 4`" in capsys.readouterr().err


def test_another_machine_gets_no_verdict(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What differs is named first; `--anyway` judges all the same, and says so."""
    arguments = ["compare", "before", "elsewhere", "--output", str(output)]
    assert main(arguments) == 2
    assert "were not measured alike" in capsys.readouterr().err
    assert main([*arguments, "--anyway"]) == 0
    assert "NOT THE SAME" in capsys.readouterr().out


def test_nothing_compared_is_an_error(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not a pass: the two share no cell."""
    folder = output / "runs" / "other"
    host = replace(run().host, cpu="one")
    create(folder, run(id="other", host=host, cells=("async_http-uvicorn-w1",)))
    append(folder / TRIALS_FILE, trial(run="other", cell="async_http-uvicorn-w1"))
    arguments = ["compare", "before", "other", "--output", str(output)]
    assert main([*arguments, "--fail-on", "regression"]) == 2
    assert "share no cell" in capsys.readouterr().err
