"""A first file for an application of one's own: what is found, and what is left to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.config import load_config
from bench.init import run as init
from bench.init.ask import Answer
from bench.init.find import applications
from bench.init.inside import listed, paths
from bench.init.write import document
from tests.support.fuzz import command

if TYPE_CHECKING:
    from pathlib import Path


def project(folder: Path, **files: str) -> Path:
    """A folder with these sources; ``__`` in a name stands for a folder."""
    for name, text in files.items():
        path = folder.joinpath(*f"{name}.py".split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "app"),
    [
        ({"main": "from fastapi import FastAPI\napp = FastAPI()"}, "main:app"),
        ({"shop__asgi": "import fastapi\napi: object = fastapi.FastAPI()"}, "shop.asgi:api"),
        ({"src__shop__main": "app = Starlette()"}, "shop.main:app"),
        ({"site__asgi": "application = get_asgi_application()"}, "site.asgi:application"),
        ({"a": "def make():\n    app = Litestar()\n    return app"}, "a:make"),
        ({"tests__app": "app = FastAPI()", "b": "app = FastAPI()"}, "b:app"),
        ({"z": "app = FastAPI()", "deep__main": "app = FastAPI()"}, "z:app"),
        ({"z": "app = FastAPI()", "main": "app = FastAPI()"}, "main:app"),
    ],
)
def test_the_application_is_found(tmp_path: Path, files: dict[str, str], app: str) -> None:
    """By what makes it; tests are none, and the shallower and better named comes first."""
    found = applications(project(tmp_path, **files))
    assert found[0].app == app
    assert found[0].factory == (app == "a:make")


def test_what_is_no_application_is_none(tmp_path: Path) -> None:
    """A function that needs arguments, a file that is no Python."""
    sources = {"a": "def make(x):\n    return FastAPI()", "b": "app = (", "c": "app = dict()"}
    assert applications(project(tmp_path, **sources)) == []
    done = command("init", str(tmp_path))
    assert done.status == 2
    assert "--app shop.main:app" in done.err


OPENAPI = {
    "paths": {
        "/items": {"get": {"parameters": [
            {"name": "page", "in": "query", "required": True, "schema": {"type": "integer"}},
            {"name": "by", "in": "query", "required": False},
        ]}, "post": {}},
        "/items/{item_id}": {"get": {"parameters": [
            {"name": "item_id", "in": "path", "required": True, "example": "lamp"},
        ], "security": [{"bearer": []}]}},
        "/health": {"get": {}},
        "/only/post": {"post": {}},
    }
}  # fmt: skip


def written(folder: Path, answer: Answer, install: str = "") -> tuple[Any, list[str]]:
    """The configuration that comes of an answer, and what was left open."""
    found = applications(project(folder, main="app = FastAPI()"))
    text, open_ends = document(folder, found[0], found[1:], answer, install)
    path = folder / "bench.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, io_kinds=(), servers=("uvicorn",)), open_ends


def test_a_request_for_each_route_that_answers_get(tmp_path: Path) -> None:
    """With a value for what it needs; guesses and locks are told."""
    config, open_ends = written(tmp_path, Answer(tuple(paths(OPENAPI)), openapi=True), ".")
    target = config.target
    assert {*target.requests} == {"items", "items_item_id", "health"}
    assert target.ready == "/health"
    assert target.install == (".",)
    assert target.requests["items"].query == {"page": ("1",)}
    assert target.requests["items_item_id"].path == "/items/${item_id}"
    assert target.requests["items_item_id"].vary == {"item_id": ("lamp",)}
    assert open_ends == [
        "/items/{item_id}: it asks for credentials: `login` and `headers` can give them",
        "/items: page is 1, a guess",
    ]


def test_what_needs_a_text_that_nobody_can_guess_is_left_out(tmp_path: Path) -> None:
    """And named; what the document itself gives a value for stands, before what is guessed."""

    def get(**schema: object) -> dict[str, object]:
        parameter = {"name": "name", "in": "query", "required": True, "schema": schema}
        return {"get": {"parameters": [parameter]}}

    document = {
        "paths": {
            "/any": get(type="string"),
            "/number": get(type="integer"),
            "/default": get(type="string", default="lamp"),
            "/one-of": get(type="string", enum=["red", "green"]),
            "/examples": get(type="string", examples=["chair"]),
        }
    }
    config, open_ends = written(tmp_path, Answer(tuple(paths(document)), openapi=True), ".")
    requests = config.target.requests
    assert [one.query["name"][0] for one in requests.values()] == ["lamp", "red", "chair", "1"]
    assert open_ends[-1] == "left out, as they need text that can't be guessed: /any"
    only = {"paths": {"/any": get(type="string")}}
    config, _ = written(tmp_path, Answer(tuple(paths(only)), openapi=True), ".")
    assert [*config.target.requests] == ["any"]


def test_without_an_answer_there_is_still_a_file(tmp_path: Path) -> None:
    """That can be planned with, and says what it lacks."""
    config, open_ends = written(tmp_path, Answer(problem="importing main:app failed: no broker"))
    assert [*config.target.requests] == ["root"]
    assert "requests: importing main:app failed: no broker" in open_ends
    assert "no route is known: / is a guess" in open_ends


def test_routes_of_a_list() -> None:
    """As Starlette has them."""

    class Route:
        path, methods = "/hello/{name:str}", {"GET", "HEAD"}

    class Mount:
        path = "/static"

    class Application:
        routes = (Route(), Mount())

    (found,) = listed(Application())
    assert (found["path"], found["needs"][0]["name"]) == ("/hello/{name:str}", "name")


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Whatever it holds."""
    (tmp_path / "bench.yaml").write_text("mine", encoding="utf-8")
    done = command("init", str(tmp_path))
    assert done.status == 2
    assert "is there already" in done.err
    assert (tmp_path / "bench.yaml").read_text(encoding="utf-8") == "mine"
    assert command("init", str(tmp_path / "none")).status == 2


@pytest.mark.real
def test_an_application_is_asked_for_its_routes(tmp_path: Path) -> None:
    """Imported in an environment of its own, of the standard library here."""
    source = (
        "class FastAPI:\n    def openapi(self):\n"
        "        return {'paths': {'/a': {'get': {}}, '/b': {'get': {}}}}\napp = FastAPI()\n"
    )
    said: list[str] = []
    init.run(project(tmp_path, main=source), None, say=said.append)
    config = load_config(tmp_path / "bench.yaml", io_kinds=(), servers=("uvicorn",))
    assert config.target is not None
    assert [*config.target.requests] == ["a", "b"]
    assert said[-1].startswith("next: nox -s plan -- --config ")
