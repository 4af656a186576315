"""Load machines as they are asked for: what is taken, what is refused, what is recorded."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bench import cli
from bench.config import Machine, Profile, fixed
from bench.config.machines import address, parse
from bench.config.settings import Profile as Recorded
from bench.plan import make_plan
from bench.report import caption, design
from bench.selfcheck.trials import cell
from tests.support.records import example


@pytest.mark.parametrize(
    ("text", "host", "processes"),
    [
        ("load1", "load1", 1),
        ("user@load1*4", "user@load1", 4),
        ("10.0.0.7*16", "10.0.0.7", 16),
        ("fe80::1", "fe80::1", 1),
        ("deploy.bot@eu-1.example.org", "deploy.bot@eu-1.example.org", 1),
    ],
)
def test_what_is_a_machine(text: str, host: str, processes: int) -> None:
    """As ssh takes it."""
    found = parse(text)
    assert (found.host, found.processes) == (host, processes)


@given(st.text(max_size=12))
def test_what_ssh_would_take_for_an_option_or_a_command_is_none(text: str) -> None:
    """Whatever is taken is one word of few characters, and no option."""
    try:
        found = parse(text)
    except ValueError:
        return
    assert found.host
    assert not found.host.startswith("-")
    assert set(found.host) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@-"
    )


@pytest.mark.parametrize("text", ["", "-oX=1", "a b", "a*0", "a*257", "a*", "*2", "a;b", "u@-x"])
def test_what_is_none(text: str) -> None:
    """With what is allowed."""
    with pytest.raises(ValueError, match="a machine as ssh takes it"):
        parse(text)


@pytest.mark.parametrize("text", ["0.0.0.0", "224.0.0.1", "::1", "localhost", "10.0.0.1/8"])  # noqa: S104 - refused
def test_no_address_to_listen_at(text: str) -> None:
    """All of them, or none."""
    with pytest.raises(ValueError, match="address"):
        address(text)


def with_machines(*machines: Machine) -> Profile:
    """Users on them."""
    return replace(fixed(10, 1.0, 1.0), machines=machines, listen="10.0.0.1")


def test_neither_names_nor_addresses_are_recorded() -> None:
    """Records are published; one machine may take another's place in a run that goes on."""
    one, other = with_machines(Machine(2, "me@load1")), with_machines(Machine(2, "load7"))
    text = TypeAdapter(Recorded).dump_json(one).decode()
    assert "load1" not in text
    assert "10.0.0.1" not in text
    assert json.loads(text)["machines"] == [{"processes": 2}]
    assert TypeAdapter(Recorded).validate_json(text) == one == other
    plans = {make_plan([cell("sync", "json")], profile, seed=1).hash for profile in (one, other)}
    assert len(plans) == 1
    more = make_plan([cell("sync", "json")], with_machines(Machine(3, "me@load1")), seed=1)
    assert more.hash not in plans


@pytest.mark.parametrize(
    ("machines", "told"),
    [
        ((Machine(1),), "1 generator process on another machine"),
        ((Machine(4),), "4 generator processes on another machine"),
        ((Machine(1), Machine(4)), "5 generator processes on 2 other machines"),
    ],
)
def test_reports_say_where_the_load_came_from(machines: tuple[Machine, ...], told: str) -> None:
    """In the line on the load."""
    assert told in design.load(with_machines(*machines))


def test_a_report_tells_what_those_machines_are() -> None:
    """And that they don't share the cores here."""
    run, _ = example(1)
    about = {"role": "load machine", "cpu": "A CPU", "cores": 8, "python": "3.12.1", "processes": 4}
    away = replace(
        run,
        profile=with_machines(Machine(4), Machine(4)),
        environments={**run.environments, "load machine 1": about, "load machine 2": about},
    )
    told = caption.caption(away)
    each = "A CPU, 8 cores, Python 3.12.1 (4 processes)"
    assert f" The load comes from others: {each}; {each}." in told
    assert "Server and delay server share the" in told
    assert "The load comes from" not in caption.caption(run)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("versus", ("server=uvicorn", "server=gunicorn")),
        ("ab", ("HEAD~1", "HEAD")),
        ("profile", ("sync_json-uvicorn-w1",)),
        ("what-if", ("sync_json-uvicorn-w1",)),
    ],
)
def test_commands_whose_load_is_here_say_so(
    capsys: pytest.CaptureFixture[str], command: str, words: tuple[str, ...]
) -> None:
    """Rather than measure something else than was asked for."""
    asked = ("--generator", "load1", "--listen", "10.0.0.1")
    assert cli.main([command, *words, *asked]) == 2
    told = f"`{command}` measures with a load generator on this machine: leave out --generator"
    assert told in capsys.readouterr().err
