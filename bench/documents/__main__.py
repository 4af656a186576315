"""``nox -s docs``: renews docs/options.md, then says what is wrong with the documents."""

from __future__ import annotations

import argparse
import sys

from bench.documents import options
from bench.documents.check import pages, problems
from bench.errors import CELLS_FAILED, MatrixError
from bench.paths import ROOT
from bench.records import atomic

PAGE = ROOT / "docs" / "options.md"


def main(argv: list[str]) -> int:
    """Gives the exit status: 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="nox -s docs --", description=__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="change nothing; say what is stale")
    check = parser.parse_args(argv).check
    try:
        stale = _renew(check=check)
    except MatrixError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_status
    wrong = [*stale, *problems(ROOT)]
    print("\n".join(wrong) or f"{len(pages(ROOT))} pages: every link, file, command and option is")
    return CELLS_FAILED if wrong else 0


def _renew(*, check: bool) -> list[str]:
    """The options; only checked, what is stale."""
    before = PAGE.read_text(encoding="utf-8")
    after = options.into(before)
    if after == before:
        return []
    if check:
        return ["docs/options.md: its table is stale; `nox -s docs` renews it"]
    atomic.write(PAGE, after)
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
