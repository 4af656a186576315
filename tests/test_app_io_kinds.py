"""Adding an io kind is adding one file."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.paths import paths
from tests.support.asgi import drive

ROOT = Path(__file__).resolve().parents[1]
# Twins that do differ, to see which one a route calls.
EXTRA = '''"""``extra``: for a test."""

WAITS = True
UPSTREAM_CALLS = 3


def blocking():
    return {"twin": "blocking"}


async def awaiting():
    return {"twin": "awaiting"}


def expected():
    return {"twin": "either"}
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the application, to which a kind can be added."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_one_more_file_is_one_more_kind(root: Path) -> None:
    """Three routes that work, each with its own twin, and reported with what the file says."""
    (root / "app" / "io" / "extra.py").write_text(EXTRA, encoding="utf-8")
    trial = root / "trial"
    trial.mkdir()
    routes = ["/sync/extra", "/async/extra", "/async/extra/sync", "/sync/noop"]
    answers = drive(root, routes, MATRIX_TRIAL_DIR=str(trial))
    assert [(answer["status"], answer["body"]) for answer in answers] == [
        (200, {"twin": "blocking"}),
        (200, {"twin": "awaiting"}),
        (200, {"twin": "blocking"}),
        (200, {"ok": True}),
    ]
    (path,) = trial.glob("worker-*.json")
    report = json.loads(path.read_text(encoding="utf-8"))
    extra = [route for route in report["routes"] if "extra" in route["path"]]
    assert [route.pop("path") for route in extra] == routes[:3]
    assert len({route.pop("index") for route in extra}) == 3
    assert [route.pop("threaded") for route in extra] == [True, False, False]
    declared = {"expected": {"twin": "either"}, "waits": True, "upstream_calls": 3}
    assert extra == [declared] * 3
    assert {file.name.partition("-")[0] for file in trial.iterdir()} == {
        "gauges",
        "threads",
        "worker",
    }


def test_the_configuration_knows_the_kind_by_its_file(root: Path) -> None:
    """And takes no helper's file, whose name begins with ``_``, for one."""
    here = replace(paths(), root=root)
    before = here.io_kinds
    (root / "app" / "io" / "extra.py").write_text(EXTRA, encoding="utf-8")
    assert before == paths().io_kinds
    assert set(here.io_kinds) - set(before) == {"extra"}
    assert not [kind for kind in here.io_kinds if kind.startswith("_")]


def test_a_kind_that_lacks_a_name_says_which(root: Path) -> None:
    """The worker ends at its start, and its log has the reason."""
    text = EXTRA.replace("def expected", "def expectd")
    (root / "app" / "io" / "extra.py").write_text(text, encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"'app\.io\.extra' has no attribute 'expected'"):
        drive(root, ["/sync/noop"])
