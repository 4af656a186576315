"""Each export, read back by a reader that isn't ours."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pyarrow import parquet

from bench.analysis.results import results
from bench.errors import BadInputError
from bench.export import benchfmt, benchmark_action, openmetrics
from bench.export import csv as comma_separated
from bench.export import parquet as parquet_export
from bench.export.columns import COLUMNS, Kind
from bench.export.figures import percentile
from bench.report.document import content as document_content
from bench.stats import Percentile
from tests.support.benchfmt import read
from tests.support.fuzz import examples
from tests.support.goldens import as_golden
from tests.support.records import HOSTILE, example, measured, run, trial

if TYPE_CHECKING:
    from pathlib import Path

Rows = dict[str, dict[str, Any]]  # by cell
UNUSABLE = {"invalid", "failed", "skipped"}
JUDGED = {"run", "cell", "experiment", "endpoint", "io", "server", "workers", "python", "host",
          "verdict", "reasons", "remarks", "trials"}  # fmt: skip
STEADY, TWO_REGIMES = "async_sleep-uvicorn-w1", "sync_sleep-uvicorn-w1"
# As the action's README and its type BenchmarkResult have it.
ACTION = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "value": {"type": "number"},
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
    },
}


def content(rounds: int = 3) -> dict[str, Any]:
    """The example, as latest.json has it, with a steady cell and one of two regimes."""
    made, trials = example(rounds)
    steady = [
        trial(cell=STEADY, experiment="async_sleep", endpoint="async", io="sleep", round=number,
              measured=measured(throughput_rps=50.0 + number / 10,
                                p50=Percentile(1500.0, None, None, 1400.0, 1600.0)))
        for number in range(1, rounds + 1)
    ]  # fmt: skip
    found = document_content(results(made, trials))
    more = document_content(results(run(cells=(STEADY,)), steady))["rows"]
    both = {
        **more[0],
        "cell": TWO_REGIMES,
        "experiment": "sync_sleep",
        "endpoint": "sync",
        "verdict": "unstable",
        "throughput_rps": {
            "value": None,
            "low": None,
            "high": None,
            "regimes": [{"value": 35, "trials": 2}, {"value": 99.5, "trials": 1}],
            "trial_deviation": 0.02,
        },
    }
    read: dict[str, Any] = json.loads(json.dumps(found | {"rows": [*found["rows"], *more, both]}))
    return read


def shown(found: dict[str, Any]) -> Rows:
    """The rows of a document by how exports name their cells."""
    return {" ".join(row["cell"].split()): row for row in found["rows"]}


def from_csv(text: str) -> Rows:
    """As Python's reader has it."""
    return {row["cell"]: row for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)}


def from_parquet(data: bytes) -> Rows:
    """As pyarrow's reader has it."""
    return {row["cell"]: row for row in parquet.read_table(io.BytesIO(data)).to_pylist()}


# -- tables


def test_csv_has_every_cell_with_the_documents_figures() -> None:
    """In declared order; nothing is rounded again."""
    found = content()
    rows = from_csv(comma_separated.text(found))
    assert list(rows) == list(shown(found))
    for cell, row in shown(found).items():
        for name, where in (("throughput_rps", "value"), ("throughput_low_rps", "low"),
                            ("throughput_high_rps", "high")):  # fmt: skip
            value = row["throughput_rps"][where]
            assert rows[cell][name] == ("" if value is None else str(value))


def test_csv_is_as_rfc_4180_has_it() -> None:
    """CRLF after each line, as many fields in each, none with a line break of its own."""
    text = comma_separated.text(content())
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == len(content()["rows"]) + 1
    assert {len(line) for line in csv.reader(io.StringIO(text, newline=""))} == {len(COLUMNS)}


def test_tables_give_unusable_cells_their_verdict_and_no_figure() -> None:
    """Nothing, and never 0."""
    for rows in (from_csv(comma_separated.text(content())),
                 from_parquet(parquet_export.data(content()))):  # fmt: skip
        lost = [row for row in rows.values() if row["verdict"] in UNUSABLE]
        assert {row["verdict"] for row in lost} == UNUSABLE
        for row in lost:
            assert row["reasons"]
            filled = {name for name, value in row.items() if value not in {"", None}}
            assert filled <= JUDGED | {f"p{n}_withheld" for n in (50, 90, 99)}


def test_a_withheld_figure_is_empty_with_its_bound_beside_it() -> None:
    """`> 1 s` in a table is nothing in `p99_ms` and 999.7 in `p99_over_ms`."""
    row = from_csv(comma_separated.text(content()))["async_json-uvicorn-w1"]
    assert (row["p99_ms"], row["p99_over_ms"]) == ("", "999.7")
    assert row["p99_withheld"]


@pytest.mark.parametrize(
    ("low", "high", "value", "over"),
    [(90.0, 120.0, 100.0, None), (90.0, None, None, 90.0), (None, None, 100.0, None)],
)
def test_an_interval_open_above_is_a_bound(
    low: float | None, high: float | None, value: float | None, over: float | None
) -> None:
    """As in the tables for people, which show `> 90 ms` there."""
    row = {"latency_ms": {"p50": 100.0}, "latency_low_ms": {"p50": low},
           "latency_high_ms": {"p50": high}, "latency_over_ms": {}}  # fmt: skip
    found = percentile(row, "p50")
    assert (found.value, found.over) == (value, over)


def test_a_loop_that_was_still_blocked_has_a_bound() -> None:
    """In a column of its own."""
    made = content()
    row = made["rows"][0]
    row["loop_delay_ms"] = {"p50": 1, "max": 900, "max_is_bound": True}
    told = from_csv(comma_separated.text(made))[row["cell"]]
    assert (told["loop_delay_max_ms"], told["loop_delay_max_over_ms"]) == ("", "900")


def test_two_regimes_are_two_figures() -> None:
    """And no throughput."""
    row = from_csv(comma_separated.text(content()))[TWO_REGIMES]
    assert [row[name] for name in ("throughput_rps", "regime_slow_rps", "regime_slow_trials",
                                   "regime_fast_rps")] == ["", "35", "2", "99.5"]  # fmt: skip


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_takes_a_name_for_a_formula(name: str) -> None:
    """A quote stands before it, which spreadsheets don't show; numbers have none."""
    made = content()
    made["rows"] = [made["rows"][0] | {"cell": name, "why": name}]
    (row,) = from_csv(comma_separated.text(made)).values()
    assert row["cell"] == row["why"] == f"'{name.strip()}"
    assert not any(value.startswith(comma_separated.FORMULA) for value in row.values())


def test_parquet_has_types_nulls_and_the_run() -> None:
    """The values of csv as they are, and the run in the metadata."""
    found = content()
    table = parquet.read_table(io.BytesIO(parquet_export.data(found)))
    types = {Kind.TEXT: "string", Kind.WHOLE: "int64", Kind.NUMBER: "double"}
    assert {f.name: str(f.type) for f in table.schema} == {c.name: types[c.kind] for c in COLUMNS}
    rows, text = from_parquet(parquet_export.data(found)), comma_separated.text(found)
    assert json.loads(table.schema.metadata[b"fastapi_matrix.run"]) == found["run"]
    for row in found["rows"]:
        assert rows[row["cell"]]["throughput_rps"] == row["throughput_rps"]["value"]
        assert rows[row["cell"]]["cell"] == row["cell"]
    for in_text, typed in zip(from_csv(text).values(), rows.values(), strict=True):
        assert {n for n, v in in_text.items() if v == ""} == {
            n for n, v in typed.items() if v is None
        }


def test_every_figure_of_a_row_is_a_column() -> None:
    """Whoever adds a figure to latest.json adds its column; a few are left to JSON."""
    left = {"failure_kinds", "background", "samples", "kinds"}
    names = " ".join(column.name for column in COLUMNS)
    nested = {"throughput_rps": "throughput_rps", "latency_ms": "p50_ms", "pool": "pool_size",
              "latency_over_ms": "p50_over_ms", "latency_low_ms": "p50_low_ms",
              "latency_high_ms": "p50_high_ms", "latency_withheld": "p50_withheld",
              "loop_delay_ms": "loop_delay_max_ms", "users_at": "users_at_way",
              "served": "served_backlog",
                  "arrivals": "arrivals_rate", "settings": "threads"}  # fmt: skip
    for field in content()["rows"][0].keys() - left:
        assert nested.get(field, field) in names.split(), field


# -- github-action-benchmark


@pytest.mark.parametrize("metric", benchmark_action.METRICS)
def test_benchmark_action_has_the_documented_fields(metric: str) -> None:
    """And each cell once."""
    entries = json.loads(benchmark_action.text(content(), metric))
    jsonschema.validate(entries, ACTION)
    assert len({entry["name"] for entry in entries}) == len(entries)


def test_benchmark_action_leaves_out_what_has_no_figure() -> None:
    """Unusable cells, those with two regimes, and latencies of which a bound is known."""
    found = content()
    rows = shown(found)
    entries = {entry["name"]: entry for entry in json.loads(benchmark_action.text(found))}
    assert {cell for cell, row in rows.items() if row["throughput_rps"]["value"]} == {*entries}
    told = rows[STEADY]["throughput_rps"]
    assert entries[STEADY]["value"] == told["value"]
    assert entries[STEADY]["range"] == f"{told['low']} to {told['high']}"
    latencies = json.loads(benchmark_action.text(found, "p99_ms"))
    assert "async_json-uvicorn-w1" not in {entry["name"] for entry in latencies}


def test_the_direction_of_each_metric_is_known() -> None:
    """A file has one, since the action's tool has one."""
    bigger = {n for n, m in benchmark_action.METRICS.items() if m.tool == benchmark_action.BIGGER}
    assert bigger == {"throughput_rps"}


def test_nothing_to_export_is_said() -> None:
    """An empty list would make the action fail without saying why."""
    found = content()
    lost = found | {"rows": [row for row in found["rows"] if row["verdict"] in UNUSABLE]}
    for export in (benchmark_action.text, benchfmt.text):
        with pytest.raises(BadInputError, match="nothing to export"):
            export(lost)


# -- Go's format


def test_benchfmt_has_a_line_a_trial() -> None:
    """With the very figures of the samples."""
    found = content()
    read_back = read(benchfmt.text(found))
    lines = [r for r in read_back.results if r.parts["io"] == "sleep"]
    assert [line.values["requests/s"] for line in lines] == [50.1, 50.2, 50.3]
    assert [line.values["p50-sec"] for line in lines] == [1.5] * 3
    assert lines[0].parts == {"endpoint": "async", "io": "sleep", "server": "uvicorn",
                              "workers": "1", "python": "3.12"}  # fmt: skip
    assert read_back.better["requests/s"] == "higher"
    assert read_back.configuration["users"] == "100"
    assert {*read_back.better} >= {unit for result in read_back.results for unit in result.values}


def test_benchfmt_leaves_out_what_not_every_trial_has() -> None:
    """Of the trials that have it alone it would be a figure of the quicker ones."""
    found = content()
    (row,) = (row for row in found["rows"] if row["cell"] == STEADY)
    row["samples"][1]["p50_ms"] = None
    lines = [r for r in read(benchfmt.text(found)).results if r.parts["io"] == "sleep"]
    assert len(lines) == 3
    assert not any("p50-sec" in line.values for line in lines)


def test_benchfmt_leaves_out_two_regimes_and_unusable_cells() -> None:
    """A median over both regimes is of neither."""
    found = content()
    named = {(r.parts["endpoint"], r.parts["io"]) for r in read(benchfmt.text(found)).results}
    lost = {(row["endpoint"], row["io"]) for row in found["rows"]
            if row["verdict"] in UNUSABLE | {"unstable"}}  # fmt: skip
    assert ("sync", "sleep") in lost
    assert not named & lost


def test_runs_can_be_set_side_by_side() -> None:
    """A configuration is a table to benchstat: nothing of one run alone may be in it."""
    one, other = content(), content()
    other["run"] |= {"id": "another", "started": "2027-01-01T00:00:00+00:00", "git": {}}
    texts = [read(benchfmt.text(found)).configuration for found in (one, other)]
    assert texts[0] == texts[1]


@pytest.mark.skipif(shutil.which("benchstat") is None, reason="no benchstat on PATH")
def test_benchstat_reads_it(tmp_path: Path) -> None:
    """Where it is installed: no complaint, and `-col /endpoint` sets endpoints side by side."""
    path = tmp_path / "run.txt"
    path.write_text(benchfmt.text(content()), encoding="utf-8")
    words = ["benchstat", "-col", "/endpoint", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert str(path) not in done.stderr
    assert "requests/s" in done.stdout


# -- OpenMetrics


def families(text: str) -> dict[str, Any]:
    """As prometheus_client's parser has them."""
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_openmetrics_has_units_and_the_documents_figures() -> None:
    """In base units."""
    found = families(openmetrics.text(content()))
    rate = found["fastapi_matrix_throughput_requests_per_second"]
    assert (rate.type, rate.unit) == ("gauge", "requests_per_second")
    rows = shown(content())
    told = {sample.labels["cell"]: sample.value for sample in rate.samples}
    assert told == {cell: row["throughput_rps"]["value"] for cell, row in rows.items()
                    if row["throughput_rps"]["value"] is not None}  # fmt: skip
    latency = {(s.labels["cell"], s.labels["percentile"]): s.value
               for s in found["fastapi_matrix_latency_seconds"].samples}  # fmt: skip
    assert latency[STEADY, "50"] == 1.5
    assert ("async_json-uvicorn-w1", "99") not in latency
    (over,) = (s.value for s in found["fastapi_matrix_latency_over_seconds"].samples
               if s.labels["cell"] == "async_json-uvicorn-w1"
               and s.labels["percentile"] == "99")  # fmt: skip
    assert over == 0.9997


def test_openmetrics_has_the_verdict_of_every_cell() -> None:
    """One of the six holds; unusable cells have nothing else."""
    found = families(openmetrics.text(content()))
    verdicts = found.pop("fastapi_matrix_verdict")
    assert verdicts.type == "stateset"
    held = {s.labels["cell"]: s.labels["fastapi_matrix_verdict"] for s in verdicts.samples
            if s.value}  # fmt: skip
    assert held == {cell: row["verdict"] for cell, row in shown(content()).items()}
    lost = {cell for cell, word in held.items() if word in UNUSABLE}
    cells = {s.labels.get("cell") for family in found.values() for s in family.samples}
    assert not cells & lost


# -- any text

TEXTS = st.text(max_size=12) | st.sampled_from([HOSTILE, '"', "\\", "\n", "a b", "/", "=", "é", ""])


@pytest.mark.fuzz
@examples(200)
@given(texts=st.lists(TEXTS, min_size=8, max_size=8))
def test_any_text_stays_a_text(texts: list[str]) -> None:
    """Whatever names and machines are called, each reader finds the same cells and figures."""
    made = content()
    row = next(row for row in made["rows"] if row["cell"] == STEADY)
    names = ("experiment", "io", "server", "python", "why")
    row |= dict(zip(names, texts, strict=False)) | {"reasons": [texts[5]]}
    made |= {"rows": [row]}
    made["host"] |= {"cpu": texts[6], "os": texts[7], "kernel": texts[5]}
    made["run"] |= {"id": texts[4], "started": texts[3], "git": {"commit": texts[2]}}
    assert len(from_csv(comma_separated.text(made))) == 1
    jsonschema.validate(json.loads(benchmark_action.text(made)), ACTION)
    lines = read(benchfmt.text(made)).results
    assert [line.values["requests/s"] for line in lines] == [50.1, 50.2, 50.3]
    assert {*lines[0].parts} == {"endpoint", "io", "server", "workers", "python"}
    found = families(openmetrics.text(made))
    assert len(found["fastapi_matrix_throughput_requests_per_second"].samples) == 1
    (typed,) = from_parquet(parquet_export.data(made)).values()
    assert typed["io"] == row["io"]


# -- as a person sees them


@pytest.mark.parametrize(
    ("name", "export"),
    [
        ("export.csv", comma_separated.text),
        ("export-benchmark-action.json", benchmark_action.text),
        ("export-benchfmt.txt", benchfmt.text),
        ("export-openmetrics.txt", openmetrics.text),
    ],
)
def test_exports(name: str, export: Any) -> None:
    """Each as it was found good to read."""
    as_golden(f"report/{name}", export(content()).replace("\r\n", "\n"))
