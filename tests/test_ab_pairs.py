"""Which cells `versus` holds against which."""

from __future__ import annotations

import pytest

from bench.ab.pairs import pairs
from bench.errors import BadInputError
from bench.plan import Cell
from bench.turns.model import TWIN, A, B

CELLS = [
    Cell(endpoint, io, server, workers, "3.12")
    for endpoint in ("sync", "async")
    for io in ("json", "http")
    for server in ("uvicorn", "gunicorn")
    for workers in (1, 2)
]


def told(a: str, b: str, *, every: bool = True) -> dict[str, tuple[str, str]]:
    """The ids of both sides, by the contest's name."""
    found = pairs(CELLS, a, b, every=every)
    for one in found:
        assert one.cells[TWIN] == one.cells[A]
    return {one.name: (one.cells[A].id, one.cells[B].id) for one in found}


def test_two_cells_by_name() -> None:
    """Whatever they differ in."""
    a, b = "sync_json-uvicorn-w1", "async_http-gunicorn-w2"
    assert told(a, b) == {f"{a} → {b}": (a, b)}


def test_two_servers_have_a_pair_of_each_other_cell() -> None:
    """Named by what the two have in common."""
    found = told("server=uvicorn", "server=gunicorn")
    assert len(found) == 8
    assert found["sync_json-w2"] == ("sync_json-uvicorn-w2", "sync_json-gunicorn-w2")


def test_two_endpoints_of_one_io_kind() -> None:
    """The io kind, the server and the workers are what is left."""
    found = told("endpoint=sync,io=json", "endpoint=async,io=json")
    assert [*found] == [f"{s}-w{n}" for s in ("uvicorn", "gunicorn") for n in (1, 2)]
    assert told("endpoint=sync", "endpoint=async")["http-gunicorn-w1"] == (
        "sync_http-gunicorn-w1",
        "async_http-gunicorn-w1",
    )


def test_two_experiments() -> None:
    """The same cells as by their levels."""
    by_name = told("sync_json", "async_json")
    assert by_name == told("endpoint=sync,io=json", "endpoint=async,io=json")


def test_of_each_experiment_one_pair_unless_all_are_asked_for() -> None:
    """The first server and worker count listed."""
    assert [*told("server=uvicorn", "server=gunicorn", every=False)] == [
        "sync_json-w1", "sync_http-w1", "async_json-w1", "async_http-w1",
    ]  # fmt: skip


def test_requests_of_an_application_of_their_own() -> None:
    """Are called so."""
    cells = [Cell("", name, "uvicorn", 1, "3.12") for name in ("list", "add")]
    (found,) = pairs(cells, "request=list", "request=add", every=False)
    assert (found.name, found.cells[B].id) == ("uvicorn-w1", "add-uvicorn-w1")


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("sync_jsn", "async_json", "found sync_jsn, allowed: a cell, an experiment or levels"),
        ("json", "async_json", "there are: sync_json-uvicorn-w1"),
        ("color=red", "color=blue", "found color, allowed: endpoint, io, server"),
        ("server=nginx", "server=uvicorn", "which has no cells; there are: server: uvicorn"),
        ("server=uvicorn", "server=gunicorn,workers=2", "two that name the same axes"),
        ("server=uvicorn", "server=uvicorn", "two of which cells differ in that alone"),
        ("server=uvicorn,", "server=gunicorn", 'found "", allowed: endpoint'),
    ],
)
def test_what_a_person_mistypes_is_told(a: str, b: str, message: str) -> None:
    """With what there is."""
    with pytest.raises(BadInputError) as caught:
        pairs(CELLS, a, b, every=True)
    assert message in str(caught.value)
    assert str(caught.value).startswith("versus: found")
