"""The commands. Each function is the table of contents of one nox session."""

from __future__ import annotations

import errno
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import doctor, options, whole
from bench.analysis.compare import FEWEST, differences
from bench.analysis.compare import compare as compare_sides
from bench.config import apply, json_schema, load_config
from bench.config.findings import shown
from bench.plan import Plan, expand, make_plan, resolve_single, select
from bench.problem import (
    CELLS_FAILED,
    FULL,
    INTERRUPTED,
    BadInput,
    Lacking,
    Problem,
    refused,
)
from bench.publish import check_readme, publish, recorded, render, update_readme
from bench.report import comparison as comparison_report
from bench.report import lines
from bench.run import conduct, interrupt, lock, runs
from bench.run.measure import now
from bench.run.paths import default_python, paths
from bench.sides import side

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from bench.analysis.rows import Row

DEFAULT_SEED = 1
READING = {"plan", "report", "readme", "compare"}  # only from and to places that a person names
MACHINES = {*FULL, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


def main(arguments: list[str]) -> int:
    """Run one command; gives its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name may be no text
            stream.reconfigure(errors="backslashreplace")
    command = ""
    try:
        chosen = options.parse(arguments)
        command = chosen.command
        if command in MEASURING:
            interrupt.arm()
            interrupt.end_with_nox()
        return COMMANDS[chosen.command](chosen)
    except Problem as problem:
        # Whatever a path or a record holds, the message is text.
        print("\n".join(shown(told, 2000) for told in str(problem).split("\n")), file=sys.stderr)
        return problem.exit_status
    except OSError as error:
        if command in READING and error.filename and error.errno not in MACHINES:
            print(f"{shown(str(error.filename), 300)}: {error.strerror}", file=sys.stderr)
            return BadInput.exit_status
        print("\n".join(shown(told, 2000) for told in refused(error).split("\n")), file=sys.stderr)
        return Lacking.exit_status
    except KeyboardInterrupt:
        print(
            "interrupted: what was measured is kept, and the same command goes on from there",
            file=sys.stderr,
        )
        return INTERRUPTED
    finally:
        if command in MEASURING:
            interrupt.disarm()


def matrix(chosen: argparse.Namespace) -> int:
    """All cells; reports/latest.* follow when the run is complete."""
    planned = _plan(chosen)
    with lock.hold(chosen.command, paths().root):
        folder = _measure(chosen, planned)
        found = publish(folder, chosen.output, _warn, ended=now())
    print(f"\n{lines.closing(found)}; {chosen.output / 'latest.md'}")
    print("`nox -s readme` puts the tables into README.md")
    return _status(found)


def single(chosen: argparse.Namespace) -> int:
    """Some cells, each with its row and why; reports/latest.* stay as they are."""
    planned = _plan(chosen)
    with lock.hold(chosen.command, paths().root):
        folder = _measure(chosen, planned)
        runs.finish(folder, now())
    measured = recorded(chosen.output, str(folder), _warn)
    found, run = measured.rows, measured.run
    print()
    for row in found:
        print(lines.row_text(row))
    for note in lines.resumed(run):
        print(note)
    return _status(found)


def plan(chosen: argparse.Namespace) -> int:
    """What would be measured."""
    print(lines.plan_text(_plan(chosen)))
    return 0


def report(chosen: argparse.Namespace) -> int:
    """All reports, from recorded results."""
    for path in render(chosen.output, chosen.run, chosen.summary, _warn):
        print(path)
    return 0


def readme(chosen: argparse.Namespace) -> int:
    """README.md's tables."""
    if chosen.check:
        stale = check_readme(chosen.output, _warn)
        print(stale or "README.md shows what reports/latest.* records")
        return CELLS_FAILED if stale else 0
    changed = update_readme(chosen.output, chosen.run, _warn)
    print(f"README.md {'has the tables of' if changed else 'already had those of'} the run")
    return 0


def compare(chosen: argparse.Namespace) -> int:
    """One run, or a part of one, against another."""
    a, b = (side(text, chosen.output, _warn) for text in (chosen.a, chosen.b))
    differ = differences(a, b)
    if differ and not chosen.anyway:
        listed = "\n".join(f"  {shown(difference, 300)}" for difference in differ)
        raise BadInput(
            f"{shown(a.title)} and {shown(b.title)} were not measured alike,"
            f" so no verdict is given:\n{listed}\n"
            "`--anyway` compares them all the same"
        )
    comparison = compare_sides(a, b, threshold=_threshold(chosen.threshold))
    if not comparison.cells:
        names = f"{shown(a.title)} and {shown(b.title)}"
        raise BadInput(f"Nothing to compare: {names} share no cell with figures.")
    print(comparison_report.table(comparison, differ))
    if chosen.json is not None:
        whole.write(chosen.json, comparison_report.document(comparison, differ))
    if chosen.fail_on and comparison.too_few:
        # A gate that can't see must not be open.
        raise BadInput(
            f"--fail-on {chosen.fail_on}: no cell could be judged, as that takes {FEWEST} rounds or"
            f" more on each side; measure with `--rounds {FEWEST}`"
        )
    failed = chosen.fail_on == "regression" and comparison.regressions
    return CELLS_FAILED if failed else 0


def examine(_: argparse.Namespace) -> int:
    """Whether this machine is fit to measure."""
    text, status = doctor.examine(paths())
    print(text)
    return status


def schema(_: argparse.Namespace) -> int:
    """experiments.schema.json, made anew."""
    where = paths()
    target = where.root / "experiments.schema.json"
    document = json_schema(io_kinds=where.io_kinds, servers=where.servers)
    whole.write(target, json.dumps(document, indent=2) + "\n")
    print(target)
    return 0


def benchmark(chosen: argparse.Namespace) -> int:
    """The harness's own benchmarks."""
    from bench import benchmarks  # noqa: PLC0415 - no other command needs what it imports

    where = paths()
    with lock.hold(chosen.command, where.root):
        return benchmarks.run(chosen.names, where)


def torment(chosen: argparse.Namespace) -> int:
    """Whether anything is lost or left behind, however a run ends and however long it is."""
    from bench import torture  # noqa: PLC0415 - no other command needs what it imports

    where = paths()
    with lock.hold(chosen.command, where.root):
        return torture.run(chosen.names, where)


def _plan(chosen: argparse.Namespace) -> Plan:
    where = paths()
    config = load_config(_shown(chosen.config), io_kinds=where.io_kinds, servers=where.servers)
    asked = options.overrides(chosen)
    config, profile = apply(config, asked)
    if chosen.command == "single":
        # One experiment may be any that the application has, listed or not.
        listed = config.matrix.io
        others = tuple(kind for kind in where.io_kinds if kind not in listed)
        config = replace(config, matrix=replace(config.matrix, io=listed + others))
    cells = expand(config, default_python())
    if asked.select:
        cells = select(cells, asked.select)
    if chosen.command == "single":
        every = bool(asked.servers or asked.workers or asked.pythons)
        cells = resolve_single(cells, chosen.names, every=every)
    seed = DEFAULT_SEED if asked.seed is None else asked.seed
    return make_plan(cells, profile, seed=seed, delay_s=config.delay_s)


def _shown(path: Path) -> Path:
    """As a person would type it: messages name the file."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except (ValueError, OSError, RuntimeError):  # elsewhere; a link to itself
        return path


def _measure(chosen: argparse.Namespace, planned: Plan) -> Path:
    return conduct.conduct(
        planned,
        paths(),
        command=chosen.command,
        output=chosen.output,
        fresh=chosen.fresh,
        resume=chosen.resume,
        keep_raw=chosen.raw == "keep",
        probe=chosen.probe == "on",
        pin=chosen.pin,
        say=_say,
        warn=_warn,
    )


def _threshold(text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not (text.endswith("%") and 0 <= value <= 1000):
        raise BadInput(f"--threshold: found {shown(text)}, allowed: a percentage such as 5%")
    return value / 100


def _say(line: str) -> None:
    print(line, flush=True)


def _warn(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _status(found: tuple[Row, ...]) -> int:
    if not found:
        raise BadInput("No cell was measured: the plan is empty. `nox -s plan` shows it.")
    return 0 if all(row.verdict.usable for row in found) else CELLS_FAILED


MEASURING = {"matrix", "single", "bench", "torture"}
COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "matrix": matrix,
    "single": single,
    "plan": plan,
    "report": report,
    "readme": readme,
    "compare": compare,
    "doctor": examine,
    "schema": schema,
    "bench": benchmark,
    "torture": torment,
}
