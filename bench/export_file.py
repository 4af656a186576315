"""Where an export is written: a file, replaced whole or not at all, or standard output."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bench import publish
from bench.errors import BadInputError
from bench.export.formats import BINARY, exported
from bench.paths import ROOT
from bench.records import atomic
from bench.report import document
from bench.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from bench.publish import Warn
    from bench.typed_options import ExportOptions

REPORTS = ROOT / "reports"


def export(options: ExportOptions, warn: Warn) -> None:
    """Write a recorded run in the format that is asked for.

    Raises:
        BadInputError: there is no such run, or the format can't go where it should.
    """
    if options.format == BINARY and options.target is None:
        raise BadInputError(
            "export: parquet is no text, so it needs a file, as in"
            " `nox -s export -- parquet --output cells.parquet`"
        )
    found = publish.recorded(REPORTS, options.run, warn)
    data = exported(document.content(found), options.format, options.metric)
    if options.target is not None:
        atomic.replace({_resolved(options.target): data})
    else:
        _print(data)


def _resolved(target: Path) -> Path:
    """What a link leads to: it stays one, and `/dev/stdout` is seen for what it is."""
    try:
        return target.resolve() if target.is_symlink() else target
    except RuntimeError as error:  # links in a circle
        raise BadInputError(
            f"--output: {shown(str(target), 300)} can't be found: {error}"
        ) from error


def _print(data: bytes) -> None:
    """The bytes as they are; whoever reads them may stop early, as `head` does."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Else Python complains once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
