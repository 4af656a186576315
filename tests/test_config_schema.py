"""The JSON Schema for editors says what the checks say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bench.config import json_schema

ROOT = Path(__file__).parent.parent
CHECKED_IN = ROOT / "experiments.schema.json"


def current() -> dict[str, Any]:
    """The schema for the io kinds and servers this tree has."""
    kinds = [file.stem for file in (ROOT / "app/io").glob("[!_]*.py")]
    servers = [file.stem.removeprefix("server-") for file in ROOT.glob("requirements/server-*.in")]
    return json_schema(io_kinds=kinds, servers=servers)


def broken(**changes: Any) -> list[str]:
    """Where the schema finds fault with experiments.yaml after changes at the top level."""
    data = yaml.safe_load((ROOT / "experiments.yaml").read_text("utf-8")) | changes
    errors = Draft202012Validator(current()).iter_errors(data)
    return sorted({error.json_path for error in errors})


def test_the_checked_in_schema_is_current() -> None:
    """UPDATE_GOLDENS=1 writes it anew."""
    text = json.dumps(current(), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDENS"):
        CHECKED_IN.write_text(text, "utf-8")
    hint = "stale: run UPDATE_GOLDENS=1 python -m pytest tests/test_config_schema.py"
    assert CHECKED_IN.read_text("utf-8") == text, hint


def test_the_schema_is_a_schema() -> None:
    """By its own dialect's rules."""
    Draft202012Validator.check_schema(current())


def test_our_experiments_fit() -> None:
    """experiments.yaml has no fault by the schema."""
    assert broken() == []


PROFILE = {"users": 50, "delay": "200ms", "budget": "12m", "precision": "10%"}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"profiles": {"p": PROFILE | {"delay": 1}}}, "$.profiles.p.delay"),
        ({"profiles": {"p": PROFILE | {"delay": "1h"}}}, "$.profiles.p.delay"),
        ({"profiles": {"p": PROFILE | {"budget": "1h"}}}, "$.profiles.p.budget"),
        ({"profiles": {"p": PROFILE | {"precision": 10}}}, "$.profiles.p.precision"),
        ({"delay": "1s"}, "$"),
        ({"speed": 1}, "$"),
        ({"matrix": {}}, "$.matrix"),
        ({"include": [{"workers": 0}]}, "$.include[0].workers"),
        ({"include": [{"io": "htp"}]}, "$.include[0].io"),
        ({"exclude": [{"server": "uvcorn"}]}, "$.exclude[0].server"),
        ({"exclude": [{"python": 3.12}]}, "$.exclude[0].python"),
        ({"exclude": [{"python": None}]}, "$.exclude[0].python"),
        ({"profiles": {"a b": {}}}, "$.profiles"),
        ({"profiles": {"quick": {}}}, "$.profiles.quick"),
    ],
)
def test_faults_are_seen(changes: dict[str, Any], where: str) -> None:
    """An editor marks what the harness would refuse."""
    assert broken(**changes) == [where]


def test_every_key_is_described() -> None:
    """An editor can explain each key."""
    schema = current()
    models = [schema, *schema["$defs"].values()]
    plain = [
        key
        for model in models
        for key, part in model["properties"].items()
        if "description" not in part and "$ref" not in part
    ]
    assert plain == []
