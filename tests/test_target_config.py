"""A file for one's own application: what it means, and every mistake with its line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator

from bench.config import Config, load_config, target_schema
from bench.config.settings import Profile
from bench.config.target import as_json
from bench.errors import BadInputError
from bench.paths import ROOT, paths
from bench.plan import expand, make_plan

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = ("gunicorn", "hypercorn", "uvicorn")
EXAMPLES = sorted((ROOT / "examples").glob("*/bench.yaml"))
LEAST = """
target: {app: "hello:app"}
requests:
  hello: {path: /}
"""


def load(folder: Path, text: str, *passed: str) -> Config:
    """The configuration of a file with this text."""
    path = folder / "bench.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, io_kinds=("json",), servers=SERVERS, passed=passed)


def mistakes(folder: Path, text: str, *passed: str) -> list[str]:
    """All that is wrong with it, without the file's name."""
    with pytest.raises(BadInputError) as refused:
        load(folder, text, *passed)
    return [line.partition("bench.yaml:")[2] for line in str(refused.value).splitlines()]


def test_the_least_that_a_file_may_say(tmp_path: Path) -> None:
    """All requests, uvicorn, one worker, a budget of five minutes."""
    config = load(tmp_path, LEAST)
    assert [cell.id for cell in expand(config, "3.12")] == ["hello-uvicorn-w1"]
    assert config.profiles == {"quick": Profile("quick", users=50, delay_s=0.0, budget_s=300.0)}
    assert config.target is not None
    assert config.target.path == tmp_path.resolve()


def test_a_locustfile_is_found_beside_the_file_and_is_part_of_the_plan(tmp_path: Path) -> None:
    """Other users make another plan: a run doesn't go on with them."""
    users = tmp_path / "users.py"
    hashes = set()
    for content in ("a = 1", "a = 2"):
        users.write_text(content, encoding="utf-8")
        config = load(tmp_path, LEAST + "  b: {locustfile: users.py}\n")
        assert config.target is not None
        assert config.target.locustfiles["b"].path == str(users.resolve())
        assert config.target.asked("b") == ()
        cells = expand(config, "3.12")
        assert [cell.id for cell in cells] == ["hello-uvicorn-w1", "b-uvicorn-w1"]
        profile = config.profiles[config.default_profile]
        hashes.add(make_plan(cells, profile, seed=1, target=config.target).hash)
    assert len(hashes) == 2


def test_a_mix_is_asked_by_its_weights(tmp_path: Path) -> None:
    """Its kinds, and the login, as the load generator is told."""
    config = load(
        tmp_path,
        """
target:
  app: shop.main:app
  login: {method: POST, path: /token, form: {user: "a b"}, take: {TOKEN: access_token}}
requests:
  add: {method: POST, path: /items, json: {name: "${TOKEN}"}, expect: {status: 201}}
  list: {path: /items, query: {page: 1..3, by: [name, 2]}}
  both: {mix: {add: 1, list: 4}}
matrix: {request: [both, list], workers: [1, 2]}
profiles: {p: {users: 5, rounds: 2}}
default_profile: p
""",
    )
    assert [cell.id for cell in expand(config, "3.12")] == [
        *("both-uvicorn-w1", "both-uvicorn-w2", "list-uvicorn-w1", "list-uvicorn-w2")
    ]
    assert config.target is not None
    told = as_json(config.target.asked("both"), config.target.login)
    assert [(kind["name"], kind["weight"]) for kind in told["kinds"]] == [("add", 1), ("list", 4)]
    add, listed = told["kinds"]
    assert json.loads(add["body"]) == {"name": "${TOKEN}"}
    assert add["headers"] == {"Content-Type": "application/json"}
    assert add["expect"] == {"status": 201, "contains": ()}
    assert listed["query"] == {"page": ("1", "2", "3"), "by": ("name", "2")}
    assert told["login"]["body"] == "user=a+b"
    assert told["login"]["take"] == {"TOKEN": "access_token"}
    assert json.loads(json.dumps(told))["kinds"][1]["query"]["page"] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("target: {app: hello}\nrequests: {a: {path: /}}", "1: target.app: found hello"),
        (LEAST + "  b: {}", "5: requests.b: found no path"),
        (LEAST + "  b: {path: x}", "5: requests.b.path: found x"),
        (LEAST + "  b: {path: '/a?b=c'}", "put what follows ? under query"),
        (LEAST + "  b: {path: /, json: 1, body: x}", "found json beside body"),
        (LEAST + "  b: {path: /, query: {p: 5..1}}", "a range that rises"),
        (LEAST + "  b: {path: /, query: {p: []}}", "from 1 to 10000 values"),
        (LEAST + "  b: {path: /, method: get}", "GET, POST"),
        (LEAST + "  b: {path: /, headers: {Host: x}}", "made by the load generator"),
        (LEAST + "  b: {path: /, headers: {A: 1}}", "in quotes if it looks like a number"),
        (LEAST + "  b: {path: /, expect: {status: 99}}", "a status from 200 to 599"),
        (LEAST + "  b: {path: /, expekt: 1}", "did you mean expect?"),
        (LEAST + "  b: {path: '/${id}'}", "found ${id}, allowed: a name that `vary`"),
        (LEAST + "  b: {path: /, vary: {id: 1..2}}", "found id, which is used nowhere"),
        (LEAST + "  b: {mix: {c: 1}}", "found c, allowed: hello"),
        (LEAST + "  b: {mix: {hello: 0}}", "a whole number from 1 to 1000"),
        (LEAST + "  b: {mix: {hello: 1}, path: /}", "found mix beside path"),
        (LEAST + "  b: {mix: {b: 1}}", "found b, allowed: hello"),
        (LEAST + "  b: {locustfile: users.py}", "found users.py, no file, allowed: a file of"),
        (LEAST + "  b: {locustfile: .., path: /}", "found locustfile beside path"),
        (LEAST + "matrix: {request: [helo]}", "did you mean hello?"),
        (LEAST + "matrix: {request: [hello, hello]}", "each value once"),
        (
            LEAST + "matrix: {io: [json]}",
            "python, loop, threads, cores, users, request, server, workers",
        ),
        (LEAST + "matrix: {server: [apache]}", "gunicorn, hypercorn, uvicorn"),
        (LEAST + "profiles: {p: {users: 1, rounds: 1}}", "default_profile: found nothing"),
        (LEAST + "profiles: {quick: {users: 1, rounds: 1, delay: 1s}}", "an unknown key"),
        (LEAST.replace("app:", "path: none, app:"), "found none, no folder"),
        (LEAST.replace("app:", "env: {A: '${SECRET}'}, app:"), "given by `--pass-env NAME`"),
        ("target: {}\nrequests: {}", "target.app: found nothing"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    """What, where, and what is allowed."""
    found = mistakes(tmp_path, text)
    assert any(told in line for line in found), found


def test_a_variable_is_known_by_what_gives_it(tmp_path: Path) -> None:
    """A list, the login, or an environment variable that the command names."""
    text = LEAST + "  b: {path: '/${id}', headers: {A: '${KEY}'}, vary: {id: 1..2}}"
    (told,) = mistakes(tmp_path, text)
    assert told == (
        "5: requests.b: found ${KEY}, allowed: a name that `vary` or `login: take` has, or one"
        " given by `--pass-env NAME`"
    )
    assert load(tmp_path, text, "KEY").target is not None


def test_another_application_is_another_plan(tmp_path: Path) -> None:
    """What is asked decides which run can be resumed."""
    hashes = set()
    for text in (LEAST, LEAST.replace("/}", "/x}"), LEAST.replace("hello:app", "hello:other")):
        config = load(tmp_path, text)
        cells = expand(config, "3.12")
        plan = make_plan(cells, config.profiles["quick"], seed=1, target=config.target)
        hashes.add(plan.hash)
    assert len(hashes) == 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_are_right(path: Path) -> None:
    """By the harness, and by the schema for editors."""
    config = load_config(path, io_kinds=(), servers=SERVERS)
    assert expand(config, "3.12")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [*Draft202012Validator(target_schema(servers=SERVERS)).iter_errors(document)] == []


def test_the_checked_in_schema_is_current() -> None:
    """`python -m bench schema` renews it."""
    found = json.loads((ROOT / "bench.schema.json").read_text(encoding="utf-8"))
    assert found == target_schema(servers=paths().servers)
    Draft202012Validator.check_schema(found)
