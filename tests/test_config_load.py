"""A right experiments.yaml as data, options on top of it, and no input that breaks out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import Config, Entry, Overrides, Profile, apply, load_config, parse_overrides
from bench.config.model import ConfigModel, MatrixModel, ProfileModel
from bench.errors import BadInputError
from bench.plan import expand

ROOT = Path(__file__).parent.parent
KINDS = ("http", "http_pooled", "json")
SERVERS = ("gunicorn", "hypercorn", "uvicorn")


@pytest.fixture(scope="module")
def ours() -> Config:
    """This project's own experiments.yaml."""
    return load_config(ROOT / "experiments.yaml", io_kinds=KINDS, servers=SERVERS)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write over."""
    return tmp_path_factory.mktemp("config") / "experiments.yaml"


def test_our_experiments(ours: Config) -> None:
    """Axes in declared order, settings in base units."""
    assert ours.matrix.order == ("endpoint", "io", "workers", "server")
    assert ours.matrix.workers == (1, 2)
    assert ours.matrix.python == ()
    assert ours.default_profile == "quick"
    assert ours.profiles["quick"] == Profile("quick", 50, 0.2, budget_s=720.0)


def test_entries_keep_their_place(scratch: Path) -> None:
    """An entry knows its key, its line and only the values it gives."""
    text = (ROOT / "experiments.yaml").read_text("utf-8")
    scratch.write_text(text + 'include:\n  - workers: 1\n    python: "3.12"\n', "utf-8")
    config = load_config(scratch, io_kinds=KINDS, servers=SERVERS)
    line = text.count("\n") + 2
    assert config.include == (Entry("include[0]", line, {"workers": 1, "python": "3.12"}),)


def test_aliases_and_merge_keys_stand_for_their_values(scratch: Path) -> None:
    """A profile may take over another one's settings; its own come first."""
    text = (ROOT / "experiments.yaml").read_text("utf-8")
    text = text.replace("quick: {", "quick: &quick {")
    text += "  more: &more {<<: *quick, users: 200}\n"
    text += "  most: {<<: *more, users: 300}\n"
    text += "  mixed: {<<: [*more, *quick], longest: 7s}\n"
    scratch.write_text(text, "utf-8")
    profiles = load_config(scratch, io_kinds=KINDS, servers=SERVERS).profiles
    quick = profiles["quick"]
    assert profiles["more"] == replace(quick, name="more", users=200)
    assert profiles["most"] == replace(quick, name="most", users=300)
    assert profiles["mixed"] == replace(quick, name="mixed", users=200, longest_s=7.0)


def test_a_mistake_is_told_where_the_value_stands(scratch: Path) -> None:
    """Not where a value is that it takes the place of."""
    text = (ROOT / "experiments.yaml").read_text("utf-8").replace("quick: {", "quick: &quick {")
    scratch.write_text(text + "  more: {users: 0, <<: *quick}\n", "utf-8")
    with pytest.raises(BadInputError) as caught:
        load_config(scratch, io_kinds=KINDS, servers=SERVERS)
    line = text.count("\n") + 1
    assert str(caught.value).startswith(f"{scratch}:{line}: profiles.more.users: found 0,")


def test_nothing_asked_changes_nothing(ours: Config) -> None:
    """Without options: the file's axes and its default profile."""
    assert apply(ours, Overrides()) == (ours, ours.profiles["quick"])


def test_options_replace_axes_and_settings(ours: Config) -> None:
    """Lists may be repeated or split by commas; all else of the profile stays."""
    asked = parse_overrides(
        profile="full",
        server=["hypercorn,uvicorn"],
        workers=["4", "1"],
        python=["3.12"],
        users="7",
        warmup="500ms",
        duration="1m",
        rounds="2",
        seed="5",
    )
    config, profile = apply(ours, asked)
    assert config.matrix.server == ("hypercorn", "uvicorn")
    assert config.matrix.workers == (4, 1)
    assert config.matrix.python == ("3.12",)
    assert config.matrix.io == ours.matrix.io
    assert profile == Profile("full", 7, 1.0, rounds=2, warmup_s=0.5, duration_s=60.0)
    assert asked.seed == 5


def test_values_that_no_option_can_give_are_refused_too(ours: Config) -> None:
    """Code may build Overrides: the same rules hold."""
    asked = Overrides(users=True, duration_s=float("nan"), warmup_s=float("inf"), rounds=0)
    with pytest.raises(BadInputError) as refused:
        apply(ours, asked)
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "--users",
        "--warmup",
        "--duration",
        "--rounds",
    ]


def test_more_users_than_the_spawn_rate_can_start(scratch: Path) -> None:
    """An option may not make the profile's ramp take hours."""
    text = (ROOT / "experiments.yaml").read_text("utf-8")
    scratch.write_text(text.replace("spawn_rate: 50", "spawn_rate: 1"), "utf-8")
    config = load_config(scratch, io_kinds=KINDS, servers=SERVERS)
    with pytest.raises(BadInputError, match="--users: found 5000 with the profile's spawn_rate 1"):
        apply(config, parse_overrides(profile="seed", users="5000"))


def survives(path: Path, content: bytes) -> None:
    """Loading gives cells, or a refusal that names the file in each of its lines."""
    path.write_bytes(content)
    try:
        assert expand(load_config(path, io_kinds=KINDS, servers=SERVERS), "3.12")
    except BadInputError as refusal:
        lines = str(refusal).splitlines()
        assert all(line.startswith((str(path), "... and ")) for line in lines)
        assert all(": found " in line and ", allowed: " in line for line in lines[:20])
        str(refusal).encode()  # can be printed


def spoiled() -> st.SearchStrategy[bytes]:
    """Our own file with a piece of it replaced."""
    text = (ROOT / "experiments.yaml").read_bytes()
    pieces = st.sampled_from(
        [
            b"",
            b"\t",
            b"&a ",
            b"*a",
            b"{",
            b"[",
            b"- ",
            b"? ",
            b": ",
            b"!!x ",
            b"\x00",
            b"'",
            b'"\\U',
        ]
    )
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, 12))
    filler = pieces | st.binary(max_size=6)
    return st.builds(lambda at, new: text[: at[0]] + new + text[sum(at) :], ends, filler)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes(scratch: Path, content: bytes) -> None:
    """No bytes bring out a traceback."""
    survives(scratch, content)


@settings(max_examples=300, deadline=None)
@given(content=spoiled())
def test_any_typing_error(scratch: Path, content: bytes) -> None:
    """Nor does a file that is almost right."""
    survives(scratch, content)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1s", "6s", "quick", "sync", "http", "uvicorn", "3.12", 1, 2, 100])
)
KEYS = st.sampled_from(
    [*ConfigModel.model_fields, *MatrixModel.model_fields, *ProfileModel.model_fields, "quick"]
) | st.text(max_size=6)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6)
)


def structures() -> st.SearchStrategy[Any]:
    """Anything, and our own experiments with some values replaced by anything."""
    ours = yaml.safe_load((ROOT / "experiments.yaml").read_text("utf-8"))
    axes = st.dictionaries(st.sampled_from([*ours["matrix"], "python"]), VALUES, max_size=2)
    top = st.dictionaries(KEYS, VALUES, max_size=2)
    nearly = st.builds(lambda a, b: ours | {"matrix": ours["matrix"] | a} | b, axes, top)
    return VALUES | nearly


@settings(max_examples=300, deadline=None)
@given(data=structures())
def test_any_structure(scratch: Path, data: object) -> None:
    """Nor does any YAML."""
    survives(
        scratch, yaml.dump(data, Dumper=yaml.Dumper, allow_unicode=True).encode("utf-8", "ignore")
    )


@settings(max_examples=300, deadline=None)
@given(
    lists=st.fixed_dictionaries(
        {}, optional={key: st.lists(st.text(max_size=6)) for key in ("server", "workers", "python")}
    ),
    texts=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            (
                *("profile", "users", "delay", "budget", "precision", "longest"),
                *("warmup", "duration", "rounds", "seed"),
            ),
            st.text(max_size=6)
            | st.sampled_from(["1", "0", "6s", "10%", "1e9", "9" * 30, "quick"]),
        ),
    ),
)
def test_any_options(ours: Config, lists: dict[str, Any], texts: dict[str, Any]) -> None:
    """Nor do any options; the message starts with one."""
    message = ""
    try:
        config, profile = apply(ours, parse_overrides(**lists, **texts))
    except BadInputError as refusal:
        message = str(refusal)
    assert message.startswith("--") or (
        expand(config, "3.12")
        and (profile.duration_s or profile.longest_s) >= 4 * profile.delay_s
        and (profile.budget_s is None) != (profile.rounds is None)
    )
