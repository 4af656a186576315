"""Whether the machine can bear the load that is asked for, said before anything starts."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.errors import RequirementError
from bench.paths import ROOT
from bench.run.host.machine import demand_ports, local_ports

if TYPE_CHECKING:
    from pathlib import Path

FEW_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
from bench.cli import main
from bench.run.host.machine import demand_open_files
if len(sys.argv) > 1:
    sys.exit(main(sys.argv[1:]))
demand_open_files(500)
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limited(hard: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process that may have 256 open files, and raise that to ``hard``."""
    return subprocess.run(
        [sys.executable, "-c", FEW_FILES.format(hard=hard), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_ten_thousand_users_are_refused_where_files_are_too_few(tmp_path: Path) -> None:
    """Exit status 3: how many are needed, how many there are, what to do; nothing was started."""
    output = tmp_path / "reports"
    done = limited(4096, "matrix", "--users", "10000", "--output", str(output))
    assert done.returncode == 3
    assert "10000 users need 20200 open files a process, this system allows 4096" in done.stderr
    assert "at most 1948 users" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()


def test_the_limit_is_raised_as_far_as_it_is_allowed() -> None:
    """Nobody has to type `ulimit` where the system lets us do it."""
    done = limited(4096)
    assert done.stdout.strip() == "(1200, 4096)", done.stderr


def test_each_user_needs_a_local_port() -> None:
    """Said with the remedy; where the number can't be seen nothing is held against anyone."""
    demand_ports(28_000, 28_232)
    demand_ports(10**6, None)
    with pytest.raises(RequirementError) as refused:
        demand_ports(28_100, 28_232)
    assert "ip_local_port_range" in str(refused.value)
    assert "at most 28032 users" in str(refused.value)
    found = local_ports()
    assert found is None or found > 0
