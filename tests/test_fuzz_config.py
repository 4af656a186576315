"""Any experiments.yaml: a plan within bounds, or a refusal that names the place."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bench.config import apply, load_config, parse_overrides
from bench.errors import BadInputError
from bench.plan import expand, make_plan
from tests.support.fuzz import check, command, examples

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.fuzz
OURS = (Path(__file__).parent.parent / "experiments.yaml").read_bytes()
DOCUMENT = yaml.safe_load(OURS) | {
    "include": [{"python": "3.13", "workers": 1}],
    "exclude": [{"endpoint": "sync", "io": "json"}],
}
KINDS, SERVERS = ("http", "http_pooled", "json"), ("gunicorn", "hypercorn", "uvicorn")
MOST_TRIALS = 100_000


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write over."""
    return tmp_path_factory.mktemp("fuzz") / "experiments.yaml"


def loads_or_names_the_place(path: Path, content: bytes) -> None:
    """A plan within bounds, or lines that each name the file and where in it."""
    path.write_bytes(content)
    try:
        config, profile = apply(
            load_config(path, io_kinds=KINDS, servers=SERVERS), parse_overrides()
        )
        plan = make_plan(expand(config, "3.12"), profile, seed=1)
    except BadInputError as refusal:
        told = str(refusal).split("\n")
        place = re.compile(re.escape(str(path)) + r"(:[1-9]\d*)?: |plan: found \d+ cells in ")
        assert all(place.match(line) or re.fullmatch(r"\.\.\. and \d+ more", line) for line in told)
        assert all(line.isprintable() and len(line) < 1500 for line in told)
    else:
        assert 0 < len(plan.trials) <= MOST_TRIALS


TEXTS = st.text(max_size=12) | st.sampled_from([
    "", "~", "null", "yes", "0x10", "1_000", "1e999", ".nan", "-.inf", "2026-02-30", "3.10", "=",
    "<<", "*a", "&a b", "!!python/object:os.system x", "%TAG", "a: b", "- a", "\t", "\x85",
    "\u2028", "\ufeff", "\U0001f600", "\u202equick", "../../etc/passwd", "http_pooled" * 200,
    "9" * 5000,
])  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=4)
    | st.sampled_from([10**400, -(10**18), 10**18, 2**63, 1e308, 5e-324, "1s", "6s", "quick",
                       "sync", "json", "uvicorn", "3.12", 1, 64, 1000, 100_000, dt.date(1, 1, 1)])
)  # fmt: skip
KEYS = TEXTS | st.sampled_from(
    [
        *DOCUMENT,
        *DOCUMENT["matrix"],
        *DOCUMENT["profiles"],
        *DOCUMENT["profiles"]["quick"],
        "python",
    ]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value of a document."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    return [here] * bool(here) + [way for key, part in parts for way in places(part, (*here, key))]


def _replace(parent: Any, key: Any, new: Any, _: Any) -> None:
    parent[key] = new


def _remove(parent: Any, key: Any, *_: Any) -> None:
    del parent[key]


def _nest(parent: Any, key: Any, *_: Any) -> None:
    parent[key] = [parent[key]] if isinstance(parent, dict) else {"io": parent[key]}


def _rename(parent: Any, key: Any, _: Any, name: Any) -> None:
    if isinstance(parent, dict):
        parent[name] = parent.pop(key)


def _add(parent: Any, _: Any, new: Any, name: Any) -> None:
    if isinstance(parent, dict):
        parent[name] = new
    else:
        parent.append(new)


MUTATIONS: list[Callable[..., None]] = [_replace, _remove, _nest, _rename, _add]


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """The document with a few of its values or keys changed."""
    changed = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        ways = places(changed)
        if not ways:
            break
        *way, key = draw(st.sampled_from(ways))
        parent = changed
        for step in way:
            parent = parent[step]
        draw(st.sampled_from(MUTATIONS))(parent, key, draw(VALUES), draw(KEYS))
    return changed


@examples(300)
@given(data=mutated(DOCUMENT), style=st.sampled_from(["block", "flow", "mixed"]))
def test_a_document_with_other_values_in_it(scratch: Path, data: Any, style: str) -> None:
    """Replaced, removed, nested, renamed and added values and keys."""
    flows = {"block": False, "flow": True, "mixed": None}
    text = yaml.dump(data, Dumper=yaml.Dumper, allow_unicode=True, default_flow_style=flows[style])
    loads_or_names_the_place(scratch, text.encode("utf-8", "surrogatepass"))


PIECES = st.binary(max_size=8) | st.text(max_size=8).map(lambda text: text.encode()) | (
    st.sampled_from([
        b"\t", b"\r", b"\n", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\x85",
        b"&a ", b"*a", b"<<: *a", b"!!binary ", b"{", b"}", b"[" * 40, b"- " * 40, b"? ", b": ",
        b"'", b'"',
        b'"\\U', b'"\\ud800"', b"---\n", b"...\n", b"%YAML 9.9\n", b"|", b">", b"# ", b"@", b"`",
        b"delay: 1s\n", b"matrix:\n", b"\n  quick: 1\n", b"1" * 50, b"1e999", b".nan",
        b"2026-11-22",
    ])
)  # fmt: skip


@st.composite
def spliced(draw: st.DrawFn) -> bytes:
    """Our own file with pieces cut out, put in, or copied elsewhere."""
    content = OURS
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(content))), draw(st.integers(0, 40))
        piece = draw(PIECES | st.just(content[at // 2 : at // 2 + length]))
        content = content[:at] + piece + content[at + length * draw(st.booleans()) :]
    return content


@examples(400)
@given(content=spliced())
def test_a_file_with_typing_errors(scratch: Path, content: bytes) -> None:
    """Pieces cut out, put in, copied elsewhere: repeated keys, tabs, stray marks, other bytes."""
    loads_or_names_the_place(scratch, content)


@examples(200)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode()))
@example(content="\ufeff".encode())
@example(content=b"\xff\xfem\x00")
def test_a_file_of_anything(scratch: Path, content: bytes) -> None:
    """Any bytes and any text."""
    loads_or_names_the_place(scratch, content)


def _with(old: str, new: str) -> bytes:
    assert old in OURS.decode()
    return OURS.decode().replace(old, new, 1).encode()


def _axes(pythons: int) -> str:
    names = [f"3.{10 + number}" for number in range(pythons)]
    return f"workers: {[*range(1, 65)]}\n  python: {names}"


_MANY = b"".join(
    b'- {workers: %d, python: "3.%d"}\n' % (n % 64 + 1, n % 80 + 10) for n in range(500)
)
BOMBS = {
    "laughs": b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (n, n) for n in range(40)),
    "merge": b"a: &a {<<: *a}\n",
    "depth": b"[" * 1_000_000,
    "depth of a block": b"- " * 500_000,
    "keys of keys": b"? " * 500_000,
    "one line": b"a: " + b"b " * 200_000,
    "comments": b"#\n" * 200_000,
    "documents": b"---\n" * 250_000,
    "digits": _with("spawn_rate: 50", "spawn_rate: " + "9" * 300_000),
    "decimals": _with("spawn_rate: 50", "spawn_rate: 0." + "9" * 300_000),
    "repeated keys": b"a: 1\n" * 5_000,
    "unknown names": _with("[http, http_pooled, json]", str([*range(8_000)])),
    "trials": _with("budget: 12m", "rounds: 1000").replace(
        b"[1, 2]", str([*range(1, 65)]).encode()
    ),
    "cells": _with("workers: [1, 2]", _axes(90)),
    "entries": _with("workers: [1, 2]", _axes(50)) + b"exclude:\n" + _MANY + b"include:\n" + _MANY,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(scratch: Path, name: str) -> None:
    """Files made to take for ever take some seconds on a slow machine, and are refused.

    27 s took 99,072 combinations held against 1,000 entries, before their product was limited.
    """
    loads_or_names_the_place(scratch, BOMBS[name])


@pytest.mark.parametrize("name", ["trials", "cells", "entries"])
def test_more_than_can_be_measured_is_refused(scratch: Path, name: str) -> None:
    """It says how many there are and how many there may be."""
    scratch.write_bytes(BOMBS[name])
    done = command("plan", "--config", str(scratch))
    check(done)
    assert done.status == 2
    assert re.search(r"found \d+ (cells|combinations).*, allowed: at most \d+", done.err)


def test_the_plan_of_any_place_that_is_no_file(tmp_path: Path) -> None:
    """A folder, a link to itself, a pipe, a device, what can't be: each is named."""
    (tmp_path / "loop").symlink_to("loop")
    names = ("", "loop", "none/x", "x" * 5000, "a\nb\x1b[2J", "/dev/zero", "/proc/self/mem")
    for path in (tmp_path / name for name in names):
        done = command("plan", "--config", str(path))
        check(done)
        assert done.status == 2
        assert str(path)[:60].split("\n")[0] in done.err
