"""The workflows to copy: the one that comments takes numbers and known words, nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = ROOT / "examples" / "workflows"
HOSTILE = "[x](https://example.org) @everyone <img src=x> ${{ github.token }} `a`\n# b"


def workflow(name: str) -> dict[Any, Any]:
    """As YAML has it."""
    return dict(yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8")))


def script() -> str:
    """The one that makes the comment."""
    steps = workflow("bench-comment.yml")["jobs"]["comment"]["steps"]
    (text,) = (step["run"] for step in steps if "python3 -I" in step.get("run", ""))
    found = re.fullmatch(r"python3 -I - <<'END'\n(.*)\nEND\n?", text, re.DOTALL)
    assert found is not None
    return found[1]


def comment(folder: Path, document: bytes) -> subprocess.CompletedProcess[str]:
    """Made of an artifact."""
    (folder / "latest.json").write_bytes(document)
    known = {
        "DOCUMENT": str(folder / "latest.json"),
        "COMMENT": str(folder / "comment.md"),
        "RUN": "https://github.com/o/r/actions/runs/1",
    }
    return subprocess.run(
        [sys.executable, "-I", "-c", script()],
        env={**os.environ, **known},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_ab_writes_becomes_a_table(tmp_path: Path) -> None:
    """Each cell, with both figures."""
    golden = (ROOT / "tests" / "golden" / "ab" / "latest.json").read_bytes()
    done = comment(tmp_path, golden)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "comment.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "<!-- bench -->"
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == len(json.loads(golden)["cells"])
    assert re.fullmatch(
        r"\| `list_items-uvicorn-w1` \| slower \| 1\.\d+× \(1\.\d+ to 1\.\d+\) \| .+ \|", rows[0]
    )


@pytest.mark.parametrize(
    "document",
    [
        {"cells": [{"cell": HOSTILE, "outcome": "slower"}]},
        {"cells": [{"cell": "a-b-w1", "outcome": HOSTILE}]},
        {"cells": [{"cell": "a-b-w1", "outcome": "slower", "latency_ms": {"ratio": HOSTILE}}]},
        {"cells": [{"cell": "a-b-w1", "outcome": "slower", "latency_ms": HOSTILE}]},
        {"cells": [HOSTILE, None, 7, []]},
        {"cells": HOSTILE},
        [HOSTILE],
        {
            "cells": [
                {"cell": "a", "outcome": "same", "cpu_ms": {"ratio": True, "low": 1, "high": 1}}
            ]
        },
    ],
)
def test_nothing_of_a_strangers_gets_through(tmp_path: Path, document: object) -> None:
    """Neither text nor markup, wherever it stands."""
    done = comment(tmp_path, json.dumps(document).encode())
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "comment.md").read_text(encoding="utf-8")
    for piece in ("example.org", "@everyone", "<img", "github.token", "True"):
        assert piece not in made


def test_a_huge_artifact_is_not_read(tmp_path: Path) -> None:
    """Nor one that is no JSON."""
    done = comment(tmp_path, b'{"cells": [' + b" " * 1_000_000 + b"]}")
    assert done.returncode == 0, done.stderr
    assert "| `" not in (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert comment(tmp_path, b"\x00no json").returncode == 1


def test_the_job_that_runs_their_code_may_only_read() -> None:
    """And the one that may write checks out nothing."""
    bench = workflow("bench.yml")
    assert [*bench[True]] == ["pull_request"]  # YAML 1.1 reads `on` as true
    (compare,) = bench["jobs"].values()
    assert compare["permissions"] == {"contents": "read"}
    assert "secrets." not in (WORKFLOWS / "bench.yml").read_text(encoding="utf-8")
    (writes,) = workflow("bench-comment.yml")["jobs"].values()
    assert not any("checkout" in step.get("uses", "") for step in writes["steps"])


def test_the_command_of_the_workflow_is_one() -> None:
    """Its options are those that `ab` has."""
    from bench import arguments, typed_options  # noqa: PLC0415 - the rest of this file needs neither

    steps = workflow("bench.yml")["jobs"]["compare"]["steps"]
    (text,) = (step["run"] for step in steps if "nox -s ab" in step.get("run", ""))
    words = text.partition(" -- ")[2].replace('"', "").split()
    command, options = arguments.parse(["ab", *words])
    assert command == "ab"
    assert isinstance(options, typed_options.AbOptions)
    assert options.fail_on_regression
