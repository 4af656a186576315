"""Which folder a run gets: a new one, or that of the unfinished run that it resumes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench import text
from bench.errors import BadInputError
from bench.records.journal import RUN_FILE, write_run
from bench.records.model import Resumption
from bench.run.history import run_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.records.model import RunRecord
    from bench.run.history.changes import Change
    from bench.run.history.run_folders import Unfinished
    from bench.run.options import RunOptions


def choose(
    wanted: RunRecord,
    options: RunOptions,
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Path:
    """The run's folder, below the output folder; what was found and decided is said.

    Raises:
        BadInputError: ``--resume``, and no run can be resumed; or the folder can't be made.
    """
    kept = options.output.resolve() / "runs"
    found = [] if options.fresh else run_folders.unfinished(kept, wanted, warn)
    if options.resume:
        return _resumed(found, wanted, say)
    same = [one for one in found if not one.changes]
    if same:
        return _gone_on_with(same[0], wanted, say)
    if found and not found[0].superseded:
        say(_notice(found[0]))
    folder = kept / wanted.id
    run_folders.create(folder, wanted)
    return folder


def _resumed(found: Sequence[Unfinished], wanted: RunRecord, say: Callable[[str], None]) -> Path:
    if not found:
        raise BadInputError(
            f"--resume: there is no unfinished run of `{wanted.command}` with any of these cells;"
            " without it a new one starts"
        )
    old = found[0]
    apart = [change for change in old.changes if change.apart]
    if apart:
        raise BadInputError(
            f"--resume: the trials of run {old.run.id} can't be in one run with these:"
            f" {_listed(apart)}. Ask for what it had, or for a new run without `--resume`."
        )
    if not old.changes:
        return _gone_on_with(old, wanted, say)
    texts = tuple(change.text for change in old.changes)
    step = Resumption(at=wanted.started, done=old.done, changes=texts)
    amended = replace(
        wanted, id=old.run.id, started=old.run.started, resumed=(*old.run.resumed, step)
    )
    write_run(old.folder / RUN_FILE, amended)
    say(f"{_so_far(old)}; resumed, although {_listed(old.changes)}. Its reports will say so.")
    return old.folder


def _gone_on_with(old: Unfinished, wanted: RunRecord, say: Callable[[str], None]) -> Path:
    if old.run.profile != wanted.profile:  # another budget or precision
        now = replace(old.run, profile=wanted.profile, plan_hash=wanted.plan_hash, finished=None)
        write_run(old.folder / RUN_FILE, now)
    say(f"run {old.run.id}: resumed, {_measured(old.done, wanted)}")
    return old.folder


def _notice(old: Unfinished) -> str:
    if any(change.apart for change in old.changes):
        way = "the old one goes on when it is asked for as it was"
    else:
        way = "`--resume` resumes the old one all the same"
    return (
        f"{_so_far(old)}, but it can't simply be resumed: {_listed(old.changes)}."
        f" A new run starts; {way}."
    )


def _so_far(old: Unfinished) -> str:
    return f"run {old.run.id}: {_measured(old.done, old.run)}"


def _measured(done: int, run: RunRecord) -> str:
    """Of a fixed design, of how many; a budget has no such number."""
    if run.profile.rounds is not None and done <= run.trials:
        return f"{done} of {run.trials} trials are measured"
    return "1 trial is measured" if done == 1 else f"{done} trials are measured"


def _listed(changes: Sequence[Change]) -> str:
    return text.line("; ".join(change.text for change in changes))
