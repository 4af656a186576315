"""Each way to get experiments.yaml wrong, with the message a person reads (tests/golden/config).

UPDATE_GOLDENS=1 writes the goldens anew.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from bench.config import apply, load_config, parse_overrides
from bench.errors import BadInputError
from bench.plan import expand, resolve_single, select

GOLDENS = Path(__file__).parent / "golden/config"
KINDS = ("http", "http_pooled", "json")
SERVERS = ("gunicorn", "hypercorn", "uvicorn")
GOOD = """\
matrix:
  endpoint: [sync, async, async_sync]
  io: [http, http_pooled, json]
  workers: [1, 2]
  server: [uvicorn, gunicorn]
default_profile: quick
profiles:
  quick: {users: 100, delay: 1s, spawn_rate: 100, warmup: 3s, duration: 6s, rounds: 1}
"""

# name of the golden: what to put in place of what
BAD = {
    "not_yaml": ("[1, 2]", "[1, 2"),
    "tab": ("  io:", "\tio:"),
    "unknown_key": ("workers:", "worker:"),
    "unknown_server": ("[uvicorn, gunicorn]", "[uvcorn, gunicorn]"),
    "unknown_io": ("http_pooled,", "http_poled,"),
    "unknown_endpoint": ("[sync, async,", "[Sync, async,"),
    "empty_axis": ("[1, 2]", "[]"),
    "axis_without_value": ("[1, 2]", ""),
    "axis_not_a_list": ("[1, 2]", "2"),
    "workers_0": ("[1, 2]", "[0, 2]"),
    "workers_not_whole": ("[1, 2]", '[true, 1.5, "2", two, 65]'),
    "duration_bare_number": ("duration: 6s", "duration: 6"),
    "window_under_four_delays": ("duration: 6s", "duration: 3s"),
    "window_under_a_second": ("duration: 6s", "duration: 500ms"),
    "delay_too_long": ("delay: 1s", "delay: 2m"),
    "duplicate_cell": ("[1, 2]", "[1, 2, 1]"),
    "duplicate_key": ("delay: 1s", "delay: 1s, delay: 2s"),
    "delay_beside_profiles": ("default_profile:", "delay: 1s\ndefault_profile:"),
    "duplicate_cell_by_include": (
        "default_profile:",
        "include: [{endpoint: sync, io: json, workers: 2, server: uvicorn}]\ndefault_profile:",
    ),
    "include_incomplete": (
        "default_profile:",
        "include:\n- {workers: 8, server: uvicorn}\ndefault_profile:",
    ),
    "include_idle": ("default_profile:", "include:\n- {server: uvicorn}\ndefault_profile:"),
    "include_empty": ("default_profile:", "include:\n- {}\ndefault_profile:"),
    "include_in_matrix": ("default_profile:", "  include: [{workers: 4}]\ndefault_profile:"),
    "exclude_idle": (
        "default_profile:",
        "exclude:\n- {server: uvicorn, workers: 4}\ndefault_profile:",
    ),
    "exclude_all": ("default_profile:", "exclude: [{workers: 1}, {workers: 2}]\ndefault_profile:"),
    "profile_missing": ("default_profile: quick", "default_profile: quik"),
    "profile_name": ("  quick:", "  'a/<b>|c':"),
    "profile_incomplete": (" delay: 1s,", ""),
    "neither_budget_nor_rounds": (", rounds: 1", ""),
    "budget_and_rounds": ("rounds: 1", "rounds: 1, budget: 12m"),
    "budget_bare_number": ("rounds: 1", "budget: 12"),
    "budget_null": ("rounds: 1", "budget: null"),
    "precision_bare_number": ("rounds: 1", "rounds: 1, precision: 10"),
    "precision_too_fine": ("rounds: 1", "rounds: 1, precision: 0%"),
    "longest_under_four_delays": ("duration: 6s", "longest: 3s"),
    "python_unquoted": ("default_profile:", "exclude: [{python: 3.10}]\ndefault_profile:"),
    "python_no_build": ("default_profile:", 'exclude: [{python: "3.14x"}]\ndefault_profile:'),
    "python_too_old": ("default_profile:", 'exclude: [{python: "3.9"}]\ndefault_profile:'),
    "users_not_finite": ("users: 100", "users: .inf"),
    "spawn_rate_nan": ("spawn_rate: 100", "spawn_rate: .nan"),
    "spawn_rate_huge": ("spawn_rate: 100", "spawn_rate: 1e999"),
    "spawn_rate_too_slow": ("spawn_rate: 100", "spawn_rate: 0.001"),
    "generators": ("rounds: 1", "rounds: 1, generators: many"),
    "load_without_a_rate": ("spawn_rate: 100", "load: {kind: open}"),
    "load_of_no_such_kind": ("spawn_rate: 100", "load: {kind: opn, rate: -1, arrivals: even}"),
    "load_with_a_ramp": ("rounds: 1", "rounds: 1, load: {kind: open, rate: 20}"),
    "users_huge": ("users: 100", "users: " + "9" * 5000),
    "aliases_too_large": (
        "default_profile:",
        "a: &a [1, 1, 1, 1]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 8)}]\n" for a, b in pairwise("abcdef"))
        + "default_profile:",
    ),
    "alias_of_itself": ("[1, 2]", "&all [*all]"),
    "merge_of_no_mapping": (
        "default_profile:",
        "exclude: [{<<: [3], workers: 1}]\ndefault_profile:",
    ),
    "delay_under_a_millisecond": ("delay: 1s", "delay: 0.4ms"),
    "delay_of_half_milliseconds": ("delay: 1s", "delay: 1.5ms"),
    "tag": ("[1, 2]", "!!python/object/apply:os.getcwd []"),
    "two_documents": ("default_profile:", "---\ndefault_profile:"),
    "too_deep": ("[1, 2]", "[" * 100),
    "too_many_values": ("[1, 2]", "[" + "1," * 20_000 + "]"),
    "control_character": ("[1, 2]", "[1, \x07]"),
    "escape_out_of_range": ("[1, 2]", '["\\UFFFFFFFF"]'),
    "list_as_a_key": ("default_profile:", "? [a]\n: 1\ndefault_profile:"),
    "unicode": ("default_profile: quick", 'default_profile: "\u202equ\\ud800ïck"'),
    "many_at_once": (
        "default_profile:",
        "speed: 3\nprofils: 6\nexclude: 3\ninclude: [{workers: 0}]\ndefault_profile:",
    ),
    "machines": ("rounds: 1", "rounds: 1, generators: [load1, -oProxyCommand=x, 'a*0', 'b c']"),
    "no_machine": ("rounds: 1", "rounds: 1, generators: []"),
    "listen": ("rounds: 1", "rounds: 1, listen: 0.0.0.0"),
    "more_than_fit": ("[1, 2]", str([*range(65, 100)])),
}
OPTIONS: dict[str, dict[str, list[str] | str]] = {
    "window": {"duration": "2s"},
    "duration_bare_number": {"duration": "6", "warmup": "soon"},
    "profile": {"profile": "quik"},
    "names": {"server": ["uvcorn", "gunicorn,gunicorn"], "python": ["3.9"]},
    "numbers": {"workers": ["0", "65"], "users": "0", "rounds": "1001", "seed": "-1"},
    "budget_and_rounds": {"budget": "3m", "rounds": "2"},
    "delay": {"delay": "2s"},
    "shares": {"precision": "ten", "budget": "12", "delay": "1.5ms"},
    "open_load": {"rate": "fast", "generators": "0", "in_flight": "1.5"},
    "machines": {"generator": ["load1,load 2*3", "-o*2", "u@x*999"], "listen": "::1"},
    "machines_without_listen": {"generator": ["u@load1*4", "load2"]},
    "machines_and_processes": {"generator": ["load1"], "listen": "10.0.0.1", "generators": "2"},
    "in_flight_of_a_closed_load": {"in_flight": "100"},
    "not_numbers": {"workers": ["1,,x"], "users": "1e3", "rounds": "", "seed": "0x1"},
}


def check(name: str, message: str) -> None:
    """The message is as the golden has it."""
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(message + "\n", "utf-8")
    assert message + "\n" == golden.read_text("utf-8")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("experiments.yaml").write_text(GOOD, "utf-8")


def refusal(content: bytes | None = None) -> str:
    """What loading and expanding this file is refused with."""
    path = Path("experiments.yaml")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError) as refused:
        expand(load_config(path, io_kinds=KINDS, servers=SERVERS), "3.12")
    return str(refused.value)


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_file(name: str) -> None:
    """The message gives file, line, key, what was found and what is allowed."""
    old, new = BAD[name]
    assert old in GOOD
    check(name, refusal(GOOD.replace(old, new, 1).encode()))


def test_files_that_are_no_text() -> None:
    """Neither the empty file, nor other bytes, nor a file that is too large."""
    check("empty_file", refusal(b""))
    check("not_utf8", refusal(GOOD.encode() + b"# caf\xe9\n"))
    check("over_1_mib", refusal(GOOD.encode() + b"#" * (1 << 20)))


def test_paths_that_are_no_file() -> None:
    """A missing file and a folder are named."""
    Path("experiments.yaml").unlink()
    check("no_such_file", refusal())
    Path("experiments.yaml").mkdir()
    check("folder", refusal())


@pytest.mark.parametrize("name", OPTIONS)
def test_a_wrong_option(name: str) -> None:
    """The message gives the option, what was found and what is allowed."""
    config = load_config(Path("experiments.yaml"), io_kinds=KINDS, servers=SERVERS)
    with pytest.raises(BadInputError) as refused:
        apply(config, parse_overrides(**OPTIONS[name]))  # type: ignore[arg-type]
    check(f"option_{name}", str(refused.value))


def test_names_of_no_cell() -> None:
    """The message gives the nearest names and how to list all."""
    config = load_config(Path("experiments.yaml"), io_kinds=KINDS, servers=SERVERS)
    cells = expand(config, "3.12")
    with pytest.raises(BadInputError) as refused:
        resolve_single(cells, ["sync_jsn", "async_json", "async_json-uvicorn-w3", "xyz"])
    check("single_unknown", str(refused.value))
    with pytest.raises(BadInputError) as refused:
        resolve_single(cells, [])
    check("single_nothing", str(refused.value))
    with pytest.raises(BadInputError) as refused:
        select(cells, ["sync_*", "*-w3"])
    check("select_nothing", str(refused.value))
