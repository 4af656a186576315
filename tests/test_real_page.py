"""The report page as people use it, in a real Chromium: no error, and no request to anywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, sync_playwright

from page import build, comparison
from tests.support.page import EVIL, FLAGS, chromium, document, line, written
from tests.test_page import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator

    Open = Callable[..., Page]

pytestmark = pytest.mark.real

FIRST = "sync_http-uvicorn-w1"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless, with an empty profile; one for all tests."""
    program = chromium()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, headless=True, args=list(FLAGS)
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of a run in which everything occurs."""
    folder = tmp_path_factory.mktemp("page")
    lines = [line(FIRST, n, n) for n in (1, 2, 3)]
    path = folder / "latest.html"
    path.write_text(build.page(written(folder, document(), lines)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def show(browser: Browser, address: str) -> Iterator[Open]:
    """Opens the page; whatever the console or the network says afterwards fails the test."""
    said: list[str] = []
    contexts = []

    def opened(fragment: str = "", *, at: str | None = None, width: int = 1400,
               scheme: str = "light", scripts: bool = True) -> Page:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:"))
                else said.append(f"request: {request.url}")
            ),
        )
        page.goto((at or address) + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def names(page: Page) -> list[str]:
    """The cells in the order in which they stand."""
    found: list[str] = page.eval_on_selector_all(
        "#matrix > tbody > tr[id]", "rows => rows.map(row => row.id)"
    )
    return found


def choice(page: Page, axis: str) -> Locator:
    """The list of an axis's levels."""
    return page.locator("label").filter(has_text=re.compile(rf"^{axis}")).locator("select")


def test_rows_are_sorted_by_any_column(show: Open) -> None:
    """The greatest first for requests/s; what is unknown comes last either way."""
    page = show()
    declared = names(page)
    button = page.locator('button[data-column="2"]')
    button.click()
    down = names(page)
    assert down[0] == "async_json-uvicorn-w1"
    assert page.locator("#matrix th[aria-sort]").get_attribute("aria-sort") == "descending"
    button.press("Enter")
    up = names(page)
    assert page.locator("#matrix th[aria-sort]").get_attribute("aria-sort") == "ascending"
    assert up[0] == "async_http_sync-uvicorn-w1"
    assert set(down[-3:]) == set(up[-3:])
    assert sorted(up) == sorted(declared)


def test_rows_are_filtered_by_axis_verdict_and_text(show: Open) -> None:
    """Together; the count says how many are left, and that none is."""
    page = show()
    choice(page, "endpoint").select_option(label="async def")
    assert set(names(page)) == {
        "async_json-uvicorn-w1", "async_http-uvicorn-w1", "async_http-gunicorn-w2"
    }  # fmt: skip
    choice(page, "verdict").select_option("skipped")
    assert names(page) == ["async_http-gunicorn-w2"]
    page.locator("#text").fill("GUNICORN environment")
    assert page.locator("#count").inner_text() == "1 of 7 rows"
    page.locator("#text").fill("nothing like it")
    assert page.get_by_text("No row matches.").is_visible()
    page.get_by_role("button", name="Reset").click()
    assert len(names(page)) == 7


def test_a_row_opens_to_its_detail(show: Open) -> None:
    """Curve, tracks, trials with what disturbed them, command; by keyboard, too."""
    page = show()
    name = page.get_by_role("button", name=FIRST, exact=True)
    name.press("Enter")
    assert name.get_attribute("aria-expanded") == "true"
    detail = page.locator("tr.detail")
    detail.locator(".plot svg").nth(5).wait_for()
    assert detail.locator(".plot svg").count() == 6  # latency, and five over time
    assert detail.get_by_text("only a bound").count()
    assert detail.get_by_text(EVIL).count()
    assert detail.get_by_text("-m uvicorn app.main:app").is_visible()
    detail.get_by_role("button", name="2", exact=True).click()
    assert detail.get_by_text("Trial 2; shaded").is_visible()
    name.press("Enter")
    assert page.locator("tr.detail").count() == 0


def test_a_link_opens_its_row(show: Open) -> None:
    """Also one whose name is no plain text, and one that a filter hides."""
    page = show("#%3Cscript%3E%7C%60x%60-uvicorn-w2")
    assert page.locator("tr.detail").count() == 1
    choice(page, "io").select_option("json")
    page.evaluate(f"location.hash = '{FIRST}'")
    page.locator(f'[id="{FIRST}"].opened').wait_for()
    assert page.locator(f'[id="{FIRST}"]').evaluate(
        "row => Math.abs(row.getBoundingClientRect().top) < innerHeight"
    )


def test_charts_are_drawn_when_they_come_into_view(show: Open) -> None:
    """By Vega without `eval`, as the policy forbids it; each has a text and a link."""
    page = show("#chart-throughput")
    page.locator("#chart-throughput .live svg").wait_for()
    assert "requests/s" in str(page.locator("#chart-throughput .live").get_attribute("aria-label"))
    links = page.eval_on_selector_all("figure a.self", "found => found.map(a => a.hash.slice(1))")
    figures = page.eval_on_selector_all("figure", "found => found.map(figure => figure.id)")
    assert links == figures
    assert len(figures) == 6


def test_dark_is_as_asked_and_by_the_button(show: Open) -> None:
    """Text has a contrast of 4.5 or more in both."""
    page = show(scheme="dark")
    assert contrast(page) >= 4.5
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="use light colours").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    assert contrast(page) >= 4.5


def contrast(page: Page) -> float:
    """The least contrast of any text to what it stands on (WCAG 2.2), in the HTML."""
    least: float = page.evaluate(
        """() => {
          const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
          const light = (colour) => {
            const [r, g, b] = parts(colour).slice(0, 3).map((part) => {
              const share = part / 255;
              return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const behind = (element) => {
            for (let one = element; one; one = one.parentElement) {
              const colour = getComputedStyle(one).backgroundColor;
              if ((parts(colour)[3] ?? 1) > 0) return colour;
            }
            return "rgb(255, 255, 255)";
          };
          const texts = [...document.querySelectorAll("body *")].filter((element) =>
            !element.closest("svg, script") && element.checkVisibility()
            && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
          return Math.min(...texts.map((element) => {
            const [a, b] = [getComputedStyle(element).color, behind(element)].map(light);
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          }));
        }"""
    )
    return least


def test_a_phone_needs_no_sideways_scroll(show: Open) -> None:
    """At 390 px, with a row opened; rows can be ordered without their headings."""
    page = show(f"#{FIRST}", width=390)
    page.locator("tr.detail .plot svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#order").select_option(label="requests/s")
    assert names(page)[0] == "async_json-uvicorn-w1"


def test_print_has_all_rows_and_pictures(show: Open) -> None:
    """On white, without what can't be clicked on paper."""
    page = show(scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".tools").is_visible()
    assert page.locator("#chart-users img").is_visible()
    assert len(names(page)) == 7
    assert page.pdf().startswith(b"%PDF")


def test_without_scripts_there_are_answers_table_and_charts(show: Open) -> None:
    """Nothing that would need one is shown."""
    page = show(scripts=False)
    assert page.locator("#matrix > tbody > tr").count() == 7
    assert page.locator("figure img").count() >= 4
    assert page.locator("#answers").is_visible()
    assert not page.locator(".tools").is_visible()


def test_two_runs_side_by_side(show: Open, tmp_path: Path) -> None:
    """The comparison's page sorts, opens and draws like the other."""
    path = tmp_path / "compared.html"
    path.write_text(comparison.page(compared()), encoding="utf-8")
    page = show(at=path.as_uri())
    page.get_by_role("button", name=EVIL, exact=True).click()
    assert page.get_by_text("first 100, second 80; 6 values").is_visible()
    choice(page, "requests/s").select_option("better")
    assert page.get_by_text("No row matches.").is_visible()
    page.locator("#chart-ratios").scroll_into_view_if_needed()
    page.locator("#chart-ratios .live svg").wait_for()


def test_two_thousand_rows_are_in_reach(show: Open, tmp_path: Path) -> None:
    """All can be found, linked to and scrolled to, though not all are in the page at once."""
    found = document()
    (row, *_) = found["rows"]
    found["rows"] = [{**row, "cell": f"cell{n}", "workers": n} for n in range(2000)]
    path = tmp_path / "many.html"
    path.write_text(build.page(written(tmp_path, found)), encoding="utf-8")
    assert path.stat().st_size < 12e6
    page = show("#cell1999", at=path.as_uri())
    page.locator('[id="cell1999"].opened').wait_for()
    page.locator("#text").fill("cell1998")
    assert names(page) == ["cell1998"]
    assert page.locator("#count").inner_text() == "1 of 2000 rows"
