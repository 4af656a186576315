"""Comparisons: what is called better, worse, the same or not known yet, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.analysis.compare import Side, compare, differences
from bench.analysis.metrics import HANDLER
from bench.analysis.results import results
from bench.compare_inputs import side
from bench.errors import BadInputError
from bench.records.journal import TRIALS_FILE, append
from bench.records.model import Damage, Resumption
from bench.report import comparison as report
from bench.report.document import document
from bench.run.history.run_folders import create
from tests.support.records import measured, run, trial

if TYPE_CHECKING:
    from pathlib import Path

    from bench.analysis.compare import Comparison


def made(
    values: dict[str, list[float]], *, run_id: str = "a", metric: str = "throughput_rps"
) -> Side:
    """A side with these figures, one a round."""
    cells = {cell: {metric: dict(enumerate(found, 1))} for cell, found in values.items()}
    return Side(run_id, run_id, {}, cells, dict.fromkeys(cells, "one experiment"))


def words(comparison: Comparison) -> dict[str, str]:
    """The word of each cell's first metric."""
    return {cell.cell: cell.judged[0].word.value for cell in comparison.cells}


STEADY = [100.0, 101.0, 99.0, 100.5, 99.5, 100.0]


def test_a_clear_change_is_told_in_the_direction_of_the_metric() -> None:
    """More throughput is better, more CPU is worse."""
    faster = [value * 1.2 for value in STEADY]
    rates = compare(made({"c": STEADY}), made({"c": faster}, run_id="b"), threshold=0.05)
    assert words(rates) == {"c": "better"}
    assert not rates.regressions
    costs = compare(
        made({"c": STEADY}, metric="cpu_ms_per_request"),
        made({"c": faster}, run_id="b", metric="cpu_ms_per_request"),
        threshold=0.05,
    )
    assert words(costs) == {"c": "worse"}
    assert costs.regressions == ("c",)


def test_a_sure_but_small_change_is_no_difference() -> None:
    """3 % is beyond doubt here, and below the threshold."""
    slightly = [value * 1.03 for value in STEADY]
    comparison = compare(made({"c": STEADY}), made({"c": slightly}), threshold=0.05)
    assert all(judged.paired for judged in comparison.figures)
    assert comparison.cells[0].judged[0].ratio.p_value is not None
    assert comparison.cells[0].judged[0].ratio.p_value < 1e-6
    assert words(comparison) == {"c": "same"}
    assert words(compare(made({"c": STEADY}), made({"c": slightly}), threshold=0.02)) == {
        "c": "better"
    }


def test_what_was_measured_once_is_too_few() -> None:
    """However large the difference: nothing tells how far another trial would differ."""
    comparison = compare(made({"c": [1.0]}), made({"c": [9.0]}, run_id="b"), threshold=0.05)
    assert words(comparison) == {"c": "too few"}
    assert comparison.too_few


def test_two_trials_a_side_are_judged_by_what_trials_of_the_experiment_differ_by() -> None:
    """As in runs of a budget."""
    rng = np.random.default_rng(5)
    before = {f"c{n}": list(np.exp(rng.normal(0, 0.02, 2))) for n in range(12)}
    after = {cell: [value * 1.3 for value in values] for cell, values in before.items()}
    found = compare(made(before), made(after, run_id="b"), threshold=0.05)
    assert set(words(found).values()) == {"better"}
    same = compare(made(before), made(before, run_id="b"), threshold=0.10)
    assert set(words(same).values()) == {"same"}


def test_what_lies_neither_within_nor_beyond_is_not_known() -> None:
    """A change of 6 % with an interval of 4 to 8 %: whether it is over 5 % isn't known."""
    slightly = [value * more for value, more in zip(STEADY, (1.04, 1.08) * 3, strict=True)]
    assert words(compare(made({"c": STEADY}), made({"c": slightly}), threshold=0.05)) == {
        "c": "not known yet"
    }


def test_two_runs_are_not_paired() -> None:
    """A drift of the machine between them then counts as difference, and the report says so."""
    comparison = compare(made({"c": STEADY}), made({"c": STEADY}, run_id="b"), threshold=0.05)
    assert not all(judged.paired for judged in comparison.figures)
    assert "weaker" in report.table(comparison, ())


def test_the_steadiest_metric_is_named() -> None:
    """The one with the narrowest interval."""
    noise = [80.0, 120.0, 95.0, 105.0, 90.0, 110.0]
    cells = {"c": {"throughput_rps": dict(enumerate(noise)),
                   "cpu_ms_per_request": dict(enumerate(STEADY))}}  # fmt: skip
    a = Side("a", "a", {}, cells, {"c": "one"})
    b = Side("b", "b", {}, cells, {"c": "one"})
    (cell,) = compare(a, b, threshold=0.05).cells
    assert cell.steadiest is not None
    assert cell.steadiest.metric.name == "cpu_ms_per_request"


@pytest.mark.parametrize(("fastest_ms", "judged"), [(None, None), (0.099, None), (0.1, 0.1)])
def test_a_handler_that_does_next_to_nothing_is_not_judged(
    fastest_ms: float | None, judged: float | None
) -> None:
    """A twentieth of some microseconds is nothing to a request."""
    assert HANDLER.of(measured(handler_min_ms=fastest_ms)) == judged


def test_identical_cells_are_seldom_called_different() -> None:
    """A/A: 40 cells with 5 % noise, 6 rounds, ten times over: at most 5 % of the calls."""
    rng = np.random.default_rng(3)
    called = 0
    for _ in range(10):
        sides = [
            made({f"c{n}": list(np.exp(rng.normal(0, 0.05, 6))) for n in range(40)}, run_id="r")
            for _ in range(2)
        ]
        found = words(compare(*sides, threshold=0.05))
        called += sum(word in {"better", "worse"} for word in found.values())
    assert called <= 0.05 * 400


def test_a_change_of_ten_per_cent_is_found() -> None:
    """In a metric with 2 % noise, over 6 rounds, in at least 9 of 10 comparisons."""
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(40):
        a = made({"c": list(np.exp(rng.normal(0, 0.02, 6)))}, metric="cpu_ms_per_request")
        b = made({"c": list(1.1 * np.exp(rng.normal(0, 0.02, 6)))}, metric="cpu_ms_per_request")
        found += words(compare(a, b, threshold=0.05)) == {"c": "worse"}
    assert found >= 36


def test_what_differs_is_named() -> None:
    """Facts that should be the same on both sides."""
    a = Side("a", "a", {"cpu": "X", "delay_s": 1.0}, {}, {})
    b = Side("b", "b", {"cpu": "Y", "delay_s": 1.0}, {}, {})
    assert differences(a, b) == ("cpu: X against Y",)
    assert differences(a, a) == ()


def quiet(line: str) -> None:
    """Nothing is to be told."""
    pytest.fail(f"told: {line}")


def test_a_run_that_changed_halfway_is_not_like_one_that_did_not(tmp_path: Path) -> None:
    """Nor like one that changed otherwise; parts of it are alike."""
    step = Resumption("2026-03-04T06:00:00+00:00", 3, ("the application (app/) has changed",))
    sides = []
    for name, resumed in (("whole", ()), ("pieces", (step,))):
        path = tmp_path / f"{name}.json"
        path.write_text(document(results(run(resumed=resumed), [trial()])), encoding="utf-8")
        sides.append(side(str(path), tmp_path, quiet))
    (difference,) = differences(*sides)
    assert difference == "changed halfway: [] against ['the application (app/) has changed']"
    assert differences(sides[1], sides[1]) == ()


@pytest.fixture
def latest(tmp_path: Path) -> Path:
    """A published document of two servers and four rounds."""
    trials = [
        trial(
            index=n, round=n, cell=f"sync_http-{server}-w1", server=server,
            measured=measured(throughput_rps=rate + n / 10),
        )
        for n in range(1, 5)
        for server, rate in (("uvicorn", 40.0), ("gunicorn", 30.0))
    ]  # fmt: skip
    cells = ("sync_http-uvicorn-w1", "sync_http-gunicorn-w1")
    path = tmp_path / "latest.json"
    path.write_text(document(results(run(cells=cells), trials)), encoding="utf-8")
    return path


def test_parts_of_one_run_are_paired_by_round(latest: Path) -> None:
    """Cells are called by what is left when the part's axis is taken out."""
    a = side("latest:server=uvicorn", latest.parent, quiet)
    b = side(f"{latest}:server=gunicorn", latest.parent, quiet)
    comparison = compare(a, b, threshold=0.05)
    assert all(judged.paired for judged in comparison.figures)
    assert words(comparison) == {"sync_http-w1": "worse"}
    told = json.loads(report.document(comparison, ()))
    assert told["worse"] == ["sync_http-w1"]
    assert told["cells"][0]["throughput_rps"]["n"] == 4
    assert "0.75" in report.table(comparison, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("never", "never"),
        ("latest:server=apache", "uvicorn"),
        ("latest:colour=red", "allowed: endpoint, io"),
    ],
)
def test_a_side_that_is_not_there_is_bad_input(latest: Path, text: str, message: str) -> None:
    """With what there is."""
    with pytest.raises(BadInputError, match=message):
        side(text, latest.parent, quiet)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', "\x00"])
def test_a_file_that_is_no_document_is_bad_input(tmp_path: Path, text: str) -> None:
    """And named."""
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"other\.json"):
        side(str(path), tmp_path, quiet)


def test_damage_is_told_of_a_document_and_of_a_run(latest: Path) -> None:
    """What is whole is compared, and nobody takes it for all there was."""
    damage = Damage("trials.jsonl:17", "it is cut off")
    latest.write_text(document(results(run(), [trial()], (), [damage])), encoding="utf-8")
    folder = latest.parent / "runs" / "one"
    create(folder, run())
    append(folder / TRIALS_FILE, trial())
    with (folder / TRIALS_FILE).open("ab") as file:
        file.write(b"{")
    told: list[str] = []
    whole, torn = (side(text, latest.parent, told.append) for text in ("latest", "one"))
    assert whole.cells == torn.cells
    assert whole.cells
    assert told == [
        "latest: trials.jsonl:17 is corrupt (it is cut off): left out of the comparison",
        "one: trials.jsonl:2 is corrupt (it is cut off): left out of the comparison",
    ]


def test_a_cell_with_two_regimes_is_told_and_spoils_no_other() -> None:
    """Its mean is what no trial shows, and the way between its regimes is no noise."""
    before = {"x": [100.0, 100.5], "y": [100.0, 99.5], "z": [35.0, 99.5, 35.2]}
    after = {"x": [120.0, 120.5], "y": [120.0, 119.5], "z": [99.0, 99.5, 35.2]}
    a = replace(made(before), unstable=frozenset({"z"}))
    comparison = compare(a, made(after, run_id="b"), threshold=0.05)
    assert comparison.unstable == ("z",)
    assert words(comparison) == {"x": "better", "y": "better"}


def test_rounds_in_common_that_are_too_few_are_not_called_paired() -> None:
    """Each figure says of itself; a run's passes leave two or three trials a cell."""
    few, enough = [100.0, 101.0], [100.0, 101.0, 100.0, 99.0]
    side = made({"few": few, "enough": enough})
    comparison = compare(side, side, threshold=0.05)
    assert [c.judged[0].paired for c in comparison.cells] == [False, True]
    assert "1 of 2 figures are paired by round" in report.table(comparison, ())
