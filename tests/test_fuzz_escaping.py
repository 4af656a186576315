"""Names and texts from anywhere leave a report's structure as it is, as a Markdown reader has it.

The reader is markdown-it with GitHub's tables and strikethrough. Bare addresses, of which GitHub
makes links too, are looked for in what the reader takes for plain text, not escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.analysis.results import results
from bench.records.model import ControlRecord
from bench.report import markdown, readme
from bench.stats import Percentile
from tests.support.fuzz import examples
from tests.support.records import HOSTILE, measured, run, trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.token import Token

    from bench.analysis.results import Results

pytestmark = pytest.mark.fuzz
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")
ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)://|www\.\w|\w@\w")
OURS = {"details", "/details", "summary", "/summary",
        "picture", "/picture", "source", "img"}  # the only tags that a report has  # fmt: skip

MARKS = st.sampled_from([
    "|", "\\", "\\|", "`", "``", "```\n", "<", ">", "<b>", "</details>", "<!--", "-->", "&lt;",
    "&#60;", "[", "](http://x.y)", "![", "](", "*", "**", "_", "__", "~~", "# ", "\n\n", "\n- ",
    "\n---\n",
    "\n    ", "\r", "\t", "\u2028", "\u202e", "\x00", "\x1b[31m", "http://x.y", "https://x.y/z",
    "ftp://x.y", "www.x.y", "WWW.x.y", "a@b.cd", "@name", "#1", "$x$", "$$", ":", "mailto:a@b.cd",
    "<http://x.y>", "<a@b.cd>", "a", " ", "1.", "+", "=", "–", "é",
])  # fmt: skip
TEXTS = st.lists(MARKS | st.text(max_size=4), max_size=8).map("".join)
FIELDS = ("experiment", "server", "io", "python", "reason", "kind", "withheld", "cpu", "os",
          "kernel", "started", "finished", "commit", "profile", "version", "control",
          "run")  # fmt: skip


def found(names: dict[str, str]) -> Results:
    """Results with these names and texts in each place that can have any."""
    doubtful = measured(
        window_failed=5,
        failure_kinds={names["kind"]: 5},
        p99=Percentile(None, 1.0, names["withheld"]),
        foreign_cores=0.5,
    )
    version = names["version"]
    cells: dict[str, Any] = {}
    for endpoint, rate in (("sync", 38.9), ("async", 70.0), ("async_sync", 1.0)):
        for server in (names["server"], "other"):
            for python in (names["python"], "3.12"):
                cell = f"{names['experiment']}-{endpoint}-{server}-{python}"
                cells[cell] = trial(
                    cell=cell, experiment=names["experiment"], endpoint=endpoint, io=names["io"],
                    server=server, python=python, measured=replace(doubtful, throughput_rps=rate),
                )  # fmt: skip
    lost = [("a-w1", "failed"), ("b-w1", "skipped")]
    cells |= {
        name: trial(cell=name, outcome=word, reason=names["reason"], measured=None)
        for name, word in lost
    }
    first = next(iter(cells.values()))
    twin = replace(first, twin=True)
    recorded = run(
        id=names["run"], cells=tuple(cells), started=names["started"], finished=names["finished"],
        git={"commit": names["commit"], "dirty": True},
        host=replace(run().host, cpu=names["cpu"], os=names["os"], kernel=names["kernel"]),
        profile=replace(run().profile, name=names["profile"]),
        environments={
            "s": {"role": "server", "python": version, "packages": {"h11": version}},
            "go": {"role": "go", "version": version},
        },
    )  # fmt: skip
    control = ControlRecord(2, "x", "start", 0, 1, names["control"] or "failed")
    return results(recorded, [*cells.values(), twin], [control])


def shape(tokens: list[Token]) -> list[str]:
    """What the reader makes of it, down to emphasis and links but without texts."""
    found: list[str] = []
    for token in tokens:
        if token.type == "inline":
            inside = Counter(
                child.type for child in token.children or [] if not child.type.startswith("text")
            )
            found.append(f"inline {sorted(inside.items())}")
        elif token.type == "html_block":
            found += re.findall(r"<(/?\w+)", token.content)
        else:
            found.append(f"{token.type} {token.tag}")
    return found


PLAIN = dict.fromkeys(FIELDS, "x")
PAGES: tuple[Callable[[Results], str], ...] = (markdown.report, readme.section)
SHAPES = [shape(READER.parse(page(found(PLAIN)))) for page in PAGES]


def keeps_its_shape(names: dict[str, str]) -> None:
    """The same headings, tables, rows, cells and spans as with plain names; no link, no tag."""
    made = found(names)
    for page, plain in zip(PAGES, SHAPES, strict=True):
        tokens = READER.parse(page(made))
        if names["server"] != "other" and names["python"] != "3.12" and names["commit"]:
            assert shape(tokens) == plain
        is_harmless(tokens)


def is_harmless(tokens: list[Token]) -> None:
    """No link, and no tag but ours."""
    for token in tokens:
        if token.type == "html_block":
            assert {*re.findall(r"<\s*([^\s>]+)", token.content)} <= OURS
        for child in token.children or []:
            assert child.type not in {"link_open", "image", "html_inline"}, child
            assert child.type != "text" or not ADDRESS.search(child.content), child.content


@examples(150)
@given(names=st.fixed_dictionaries({field: TEXTS.filter(bool) for field in FIELDS}))
@example(names=dict.fromkeys(FIELDS, HOSTILE))
@example(names=dict.fromkeys(FIELDS, "`"))
@example(names=dict.fromkeys(FIELDS, "a\\|b"))
@example(names=dict.fromkeys(FIELDS, "\\"))
@example(names=dict.fromkeys(FIELDS, "x\n\n</details><script>"))
@example(names=dict.fromkeys(FIELDS, "http://x.y www.x.y a@b.cd"))
@example(names=dict.fromkeys(FIELDS, "\u2028"))
@example(names={**PLAIN, "io": "<img src=x>|[a](http://b)"})
@example(names={**PLAIN, "server": "**uvicorn** <b>"})
@example(names={**PLAIN, "version": "[1](http://x.y)"})
@example(names={**PLAIN, "started": "<b>2026-01-01", "finished": "*\n# x"})
def test_no_name_changes_a_report(names: dict[str, str]) -> None:
    """Each field that is a text, all at once."""
    keeps_its_shape(names)


@examples(100)
@given(field=st.sampled_from(FIELDS), text=TEXTS)
def test_no_single_name_changes_a_report(field: str, text: str) -> None:
    """One field, the others plain."""
    keeps_its_shape({**PLAIN, field: text})
