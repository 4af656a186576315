"""The report page as text: what is escaped, withheld, bounded, left out; no browser needed."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from page import (
    build,
    chart_data,
    comparison,
    embed,
    glyphs,
    overview,
    readme_chart,
    sides,
    strip,
    table,
    words,
)
from page.__main__ import main
from page.errors import PageError
from page.reading import UNUSABLE, read
from page.series import kept
from tests.support.page import EVIL, document, line, written

if TYPE_CHECKING:
    from page.reading import Report

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Three rounds in which everything occurs."""
    found = document()
    lines = [line(found["rows"][0]["cell"], n, n) for n in (1, 2, 3)]
    return written(tmp_path_factory.mktemp("report"), found, lines)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    """Its page."""
    return build.page(report)


def blocks(page: str, kind: str) -> list[str]:
    """The contents of the scripts of one kind of opening tag."""
    return re.findall(rf"<script{kind}>(.*?)</script>", page, re.DOTALL)


@given(st.text())
def test_no_text_gets_out_of_embedded_json(text: str) -> None:
    """It is the same text when read, and has no character that HTML or JavaScript would heed."""
    embedded = embed.json_text({"name": text})
    assert json.loads(embedded) == {"name": text}
    assert not set("<>&\u2028\u2029") & set(embedded)


def test_names_stay_text(page: str) -> None:
    """No tag that a name brings along is one in the page."""
    assert EVIL not in page
    assert "<b>bold" not in page
    assert "<script>|" not in page
    assert html.escape("<script>|`x`-uvicorn-w2") in page


def test_the_policy_allows_the_page_and_nothing_else(page: str) -> None:
    """Each script that runs and the style have their hash; there is no inline style or handler."""
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    runs = [*blocks(page, ""), *blocks(page, ' type="text/plain" id="vega"')]
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert len(runs) == 2
    assert len(styles) == 1
    for content in (*runs, *styles):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    shown = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"<[^>]*\s(style|on\w+)=", shown)
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", shown)


def test_the_same_report_gives_the_same_bytes(report: Report, page: str) -> None:
    """In another process the same holds: nothing depends on hashing or on time."""
    assert build.page(report) == page
    assert readme_chart.charts(report) == readme_chart.charts(report)


def test_rows_without_numbers_have_a_reason_instead(report: Report) -> None:
    """Invalid, failed and skipped rows: dashes, and why."""
    unusable = [row for row in report.rows if row.verdict in UNUSABLE]
    assert {row.verdict for row in unusable} == {"invalid", "failed", "skipped"}
    for row in unusable:
        made = table.html(row, (1.0, 10.0))
        assert made.count('class="withheld"') == 6
        assert "<svg" not in made
        assert html.escape(row.reasons[0].split("\n")[0][:20]) in made
        assert words.facts(row) == [(row.verdict, "; ".join(row.reasons))]
    assert not any(record["value"] for record in chart_data.records(unusable))


def test_numbers_of_an_unusable_row_are_never_shown(tmp_path: Path) -> None:
    """Even if a document should hold some."""
    found = document()
    row = found["rows"][0]
    row.update(verdict="invalid", reasons=["the counters don't agree"])
    (first, *_) = written(tmp_path, found).rows
    assert first.rate.value is None
    assert first.figures == {}
    assert words.rate(first) == "–"


def test_bounds_look_like_bounds(report: Report) -> None:
    """``> 8.01 s`` with its reason, and a dash where not even that is known."""
    row = next(row for row in report.rows if row.experiment == "async_http_sync")
    made = table.html(row, (1.0, 10.0))
    assert '<span class="bounded" title="a bound: fewer than 5' in made
    assert "&gt; 8.01 s" in made
    assert '<span class="withheld" title="fewer than 5' in made


def test_two_regimes_are_both_shown(tmp_path: Path) -> None:
    """As two hollow marks, and no figure between them."""
    found = document()
    found["rows"][0]["verdict"] = "unstable"
    found["rows"][0]["throughput_rps"] |= {
        "value": None, "low": None, "high": None,
        "regimes": [{"value": 30, "trials": 2}, {"value": 60, "trials": 3}],
    }  # fmt: skip
    (row, *_) = written(tmp_path, found).rows
    assert words.rate(row) == "30 or 60"
    assert glyphs.interval(row, (10.0, 100.0)).count("hollow") == 2


def test_a_document_with_everything_withheld_still_has_a_page(tmp_path: Path) -> None:
    """It says so in words, and has no chart and no README chart."""
    found = document()
    found["rows"] = [row for row in found["rows"] if row["verdict"] in UNUSABLE]
    found |= {"answers": [], "effects": [], "noise": None, "controls": None}
    report = written(tmp_path, found)
    made = build.page(report)
    assert "No cell has a throughput that may be shown." in made
    assert "data:image" not in made
    assert readme_chart.charts(report) == {}


def test_without_trials_over_time_the_page_says_so(tmp_path: Path) -> None:
    """The file may be missing, damaged or of another run: never half of it."""
    found = document()
    cell = found["rows"][0]["cell"]
    short = line(cell, 1) | {"in_flight": [1]}
    for lines, why in (
        ([], "There is no latest.series.jsonl"),
        ([line(cell, 1), short], "line 2: lists of different lengths"),
        ([line("another", 1)], "of another run"),
    ):
        report = written(tmp_path, found, lines)
        assert why in str(report.no_series)
        assert report.trials == ()
        assert why in build._head(report)


def test_trials_that_do_not_fit_are_told(report: Report) -> None:
    """The first of each cell comes first; a line says how many are left out."""
    most = len(json.dumps(kept(report, 10**9).by_cell)) // 2
    found = kept(report, most)
    (trials,) = found.by_cell.values()
    assert [trial["index"] for trial in trials] == [1]
    assert found.note.startswith("2 of 3 trials are not shown")
    assert kept(report, 10**9).note == ""


def test_the_strip_shows_what_was_set_aside(tmp_path: Path) -> None:
    """Hollowly: the mean of its window, as it has no figure of its own."""
    found = document(rounds=2)
    cell = found["rows"][0]["cell"]
    lines = [line(cell, 1, 1), line(cell, 2, 2), line(cell, 3, 3), line(cell, 4, 1, twin=True)]
    states = [one["state"] for one in strip._ordered(written(tmp_path, found, lines))]
    assert states == ["counted", "counted", "set aside", "again (A/A)"]


def test_the_readme_chart_speaks_for_itself(report: Report) -> None:
    """Title, text, no address of anywhere, and other colours in the dark."""
    charts = readme_chart.charts(report)
    assert sorted(charts) == ["chart-dark.svg", "chart-light.svg"]
    for svg in charts.values():
        tree = ET.fromstring(svg)  # noqa: S314 - our own
        assert (tree.findtext(f"{SVG}title") or "").startswith("Requests/s at 100 users")
        assert "def, http: " in (tree.findtext(f"{SVG}desc") or "")
        assert not re.search(r"(href|src)=|url\(http|<script", svg)
    assert charts["chart-light.svg"] != charts["chart-dark.svg"]


def test_charts_of_many_cells_show_the_first(report: Report) -> None:
    """And say how many there are."""
    many = report.rows * 40
    shown, left_out = chart_data.charted(many)
    assert 0 < len(shown) <= chart_data.MOST_ROWS
    assert len(shown) + left_out == len(many)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "no JSON object"),
        ("{", "no JSON"),
        ('{"schema": 1, "rows": []}', "no latest.json of schema 2"),
        ('{"schema": 2, "rows": [{}]}', "a field is missing"),
        ('{"schema": 2, "rows": NaN}', "NaN is no number"),
    ],
)
def test_what_is_no_document_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, told: str
) -> None:
    """Exit status 2, no traceback, and nothing written."""
    path = tmp_path / "latest.json"
    path.write_text(content, encoding="utf-8")
    assert main([str(path), "--output", str(tmp_path / "latest.html")]) == 2
    assert told in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["latest.json"]
    with pytest.raises(PageError):
        read(path, None)


def compared(**changes: Any) -> dict[str, Any]:
    """What `compare -- A B --json` writes, of one cell."""
    judged = {"ratio": 0.8, "low": 0.7, "high": 0.9, "p_value": 0.01, "n": 6, "paired": False,
              "word": "worse", "a": 100.0, "b": 80.0}  # fmt: skip
    return {
        "schema": 2,
        "a": {"run": "one", "title": "before"},
        "b": {"run": "two", "title": EVIL},
        "threshold": 0.05,
        "differences": ["cpu: x against y"],
        "cells": [{"cell": EVIL, "steadiest": "throughput_rps", "throughput_rps": judged}],
        "only_a": [], "only_b": [], "unstable": [], "worse": [EVIL],
        **changes,
    }  # fmt: skip


def test_two_runs_have_a_page_of_their_own() -> None:
    """Both figures, the ratio with its interval, its word, and what was not the same."""
    made = comparison.page(compared())
    assert "0.800× (0.700 to 0.900)" in made
    assert "first 100, second 80" in made
    assert "Not the same on both sides: cpu: x against y" in made
    assert "<b>bold" not in made
    with pytest.raises(PageError, match="lacks a field"):
        comparison.page(compared(cells=[{}]))


# -- two revisions


def both() -> dict[str, Any]:
    """What `ab` wrote."""
    golden = Path(__file__).parent / "golden" / "ab" / "latest.json"
    return dict(json.loads(golden.read_text(encoding="utf-8")))


def test_two_revisions_are_a_page_of_their_own() -> None:
    """Each outcome, both figures, why one was measured otherwise; the same bytes each time."""
    made = sides.page(both())
    assert made == sides.page(both())
    assert sides.is_one(both())
    assert not comparison.is_one(both())
    for word in ("slower", "faster", "same", "not known yet", "failed"):
        assert f">{word}</span>" in made
    assert "was measured in whole trials: it uses 20% of its core" in made
    assert "a request failed: HTTP 500" in made
    assert "CPU per request: the second" in made


def test_whatever_revisions_are_called_is_text() -> None:
    """Their names and reasons come from anywhere."""
    found = both()
    found["a"]["title"] = found["b"]["title"] = EVIL
    found["cells"][3]["why_trials"] = found["cells"][4]["failures"][0] = EVIL
    assert EVIL not in sides.page(found)


def test_a_damaged_comparison_of_revisions_is_told() -> None:
    """By the field that is missing."""
    with pytest.raises(PageError, match="lacks a field"):
        sides.page(both() | {"cells": [{}]})
    with pytest.raises(PageError, match="schema 1"):
        sides.page(both() | {"schema": 2})


def test_the_kinds_of_a_mix_stand_in_its_row(tmp_path: Path) -> None:
    """Each with its rate, its failures and what is known of its latency."""
    found = document()
    usable = next(row for row in found["rows"] if row["verdict"] not in UNUSABLE)
    usable["kinds"] = [
        {"name": "search", "requests": 120, "failures": 2, "throughput_rps": 12.5,
         "latency_ms": {"p50": 8.0, "p90": None, "p99": 30.0}},
    ]  # fmt: skip
    row = next(row for row in written(tmp_path, found, []).rows if row.cell == usable["cell"])
    assert (
        "of search",
        "12.5 requests/s of 120 completed, 2 failed; p50 8 ms, p99 30 ms",
    ) in (words.facts(row))


def test_a_ladder_of_users_is_a_chart_and_a_filter(tmp_path: Path) -> None:
    """A point for what is known, none for what is only a bound; other runs have no such chart."""
    found = document()
    row = found["rows"][0]
    steps = []
    for users in (1, 10, 100):
        one = json.loads(json.dumps(row)) | {"settings": {"users": str(users)}}
        one["cell"] = f"{row['cell']}-u{users}"
        one["latency_ms"]["p99"], one["latency_low_ms"]["p99"] = 5.0, 4.0
        one["latency_high_ms"]["p99"] = 6.0 if users < 100 else None
        steps.append(one)
    told = written(tmp_path, found | {"rows": steps}, [])
    charts = {figure.name: figure for figure in overview.figures(told)}
    chart = charts["chart-ladder"].chart
    assert chart is not None
    (values,) = chart.to_dict()["datasets"].values()
    assert [v["users"] for v in values if v["what"] == "requests/s"] == [1, 10, 100]
    assert [v["users"] for v in values if v["what"] == "p99, ms"] == [1, 10]
    assert ("users", ["1", "10", "100"]) in table.levels(told.rows)
    assert "chart-ladder" not in {f.name for f in overview.figures(written(tmp_path, found, []))}
