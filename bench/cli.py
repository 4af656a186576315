"""The commands. Each function is the table of contents of one nox session."""

from __future__ import annotations

import errno
import io
import json
import sys
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import arguments, compare_effects, doctor, export_file, html_page
from bench.analysis.compare import FEWEST, differences
from bench.analysis.compare import compare as compare_sides
from bench.compare_inputs import side
from bench.config import apply, json_schema, load_config, target_schema
from bench.errors import (
    BUG,
    CELLS_FAILED,
    FULL,
    INTERRUPTED,
    BadInputError,
    MatrixError,
    RequirementError,
    refused,
)
from bench.estimate import expected, trial_s
from bench.live.displays import display
from bench.paths import default_python, paths
from bench.plan import Plan, expand, make_plan, resolve_single, select
from bench.publish import check_readme, publish, recorded, render, update_readme
from bench.records import atomic, journal
from bench.report import comparison as comparison_report
from bench.report import ending, lines
from bench.run import orchestrate
from bench.run.history import run_folders
from bench.run.host import machine
from bench.run.own.environ import passed
from bench.run.process import interrupt, lock
from bench.run.trial_runner import now
from bench.shards import part_of
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.analysis.rows import Row
    from bench.typed_options import (
        AbOptions,
        AskOptions,
        CapacityOptions,
        CheckOptions,
        CompareOptions,
        DoctorOptions,
        ExportOptions,
        InitOptions,
        MeasureOptions,
        MergeOptions,
        PlanOptions,
        ProfileOptions,
        ReportOptions,
    )

DEFAULT_SEED = 1
DEALT_CORES = 4  # of the machine by whose estimate cells are dealt to parts
SINGLE_S = 45.0  # of a budget, for each cell that `single` is asked for: answered in a minute
READING = {
    "plan",
    "report",
    "readme",
    "compare",
    "export",
}  # only from and to places that a person names
MACHINES = {*FULL, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


def main(argv: list[str]) -> int:
    """Run one command; gives its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name may be no text
            stream.reconfigure(errors="backslashreplace")
    command = ""
    try:
        command, options = arguments.parse(argv)
        if command in MEASURING:
            interrupt.arm()
            interrupt.end_with_nox()
        return COMMANDS[command](options)
    except MatrixError as problem:
        # Whatever a path or a record holds, the message is text.
        print("\n".join(shown(told, 2000) for told in str(problem).split("\n")), file=sys.stderr)
        return problem.exit_status
    except OSError as error:
        if command in READING and error.filename and error.errno not in MACHINES:
            print(f"{shown(str(error.filename), 300)}: {error.strerror}", file=sys.stderr)
            return BadInputError.exit_status
        print("\n".join(shown(told, 2000) for told in refused(error).split("\n")), file=sys.stderr)
        return RequirementError.exit_status
    except KeyboardInterrupt:
        print(
            "interrupted: what was measured is kept, and the same command resumes there",
            file=sys.stderr,
        )
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - whatever else it is, it is ours, and is shown whole
        traceback.print_exc()
        print(
            "This is a bug of the harness, not of your input or machine. What was measured is kept;"
            " please report the lines above.",
            file=sys.stderr,
        )
        return BUG
    finally:
        if command in MEASURING:
            interrupt.disarm()


def matrix(options: MeasureOptions) -> int:
    """All cells; reports/latest.* follow when the run is complete."""
    planned = _plan(options.plan)
    options = _beside(options, planned)
    with lock.hold(options.run.command, paths().root):
        folder = _measure(options, planned)
        found = publish(folder, options.run.output, _warn, ended=now())
        html_page.make(options.run.output, paths(), _warn)
    print(ending.of_matrix(found, planned, _pages(options.run.output)))
    return _status(found, planned)


def single(options: MeasureOptions) -> int:
    """Some cells, each with its row and why; reports/latest.* stay as they are."""
    planned = _plan(options.plan)
    options = _beside(options, planned)
    with lock.hold(options.run.command, paths().root):
        folder = _measure(options, planned)
        run_folders.finish(folder, now())
    measured = recorded(options.run.output, str(folder), _warn)
    found, run = measured.rows, measured.run
    print(ending.of_single(found, planned, run))
    return _status(found, planned)


def plan(options: PlanOptions) -> int:
    """What would be measured."""
    planned = _plan(options)
    takes = expected(planned, cores=machine.describe().cores, controls=True)
    print(lines.plan_text(planned, takes))
    return 0


def report(options: ReportOptions) -> int:
    """All reports, from recorded results."""
    written = render(options.output, options.run, options.summary, _warn)
    made = html_page.make(written[0].parent, paths(), _warn)
    for path in [*written, *([] if made is None else [made])]:
        print(path)
    return 0


def merged(options: MergeOptions) -> int:
    """One run of the parts of a matrix; it becomes the published one."""
    from bench import merge  # noqa: PLC0415 - no other command needs it

    folder = merge.merge(options.runs, options.output)
    found = publish(folder, options.output, _warn)
    html_page.make(options.output, paths(), _warn)
    run = journal.read_run(folder / journal.RUN_FILE)
    for number in run.missing:
        _warn(f"part {number}/{len(run.hosts) + len(run.missing)} is missing: it has no rows")
    words = Counter(row.verdict.word.value for row in found)
    verdicts = ", ".join(f"{count} {word}" for word, count in words.items())
    print(f"run {run.id}: {len(run.hosts)} machines; {verdicts}")
    for path in _pages(options.output):
        print(path)
    whole = len(found) == len(run.cells) and all(row.verdict.usable for row in found)
    return 0 if whole else CELLS_FAILED


def readme(options: ReportOptions) -> int:
    """README.md's tables."""
    if options.check:
        stale = check_readme(options.output, _warn) or html_page.stale(options.output)
        print(stale or "README.md shows what reports/latest.* records")
        return CELLS_FAILED if stale else 0
    changed = update_readme(options.output, options.run, _warn)
    html_page.make(options.output, paths(), _warn)
    print(f"README.md {'has the tables of' if changed else 'already had those of'} the run")
    return 0


def compare(options: CompareOptions) -> int:
    """One run, or a part of one, against another."""
    if options.effects:
        compare_effects.run(options, say=print, warn=_warn)
        return 0
    if options.summary is not None:
        raise BadInputError(
            "--summary: it goes with --effects only; a table of cells is no summary"
        )
    a, b = (side(text, options.output, _warn) for text in (options.a, options.b))
    differ = differences(a, b)
    if differ and not options.anyway:
        listed = "\n".join(f"  {shown(difference, 300)}" for difference in differ)
        raise BadInputError(
            f"{shown(a.title)} and {shown(b.title)} were not measured alike,"
            f" so no verdict is given:\n{listed}\n"
            "`--anyway` compares them all the same"
        )
    comparison = compare_sides(a, b, threshold=options.threshold)
    if not comparison.cells:
        names = f"{shown(a.title)} and {shown(b.title)}"
        raise BadInputError(f"Nothing to compare: {names} share no cell with figures.")
    print(comparison_report.table(comparison, differ))
    if options.json is not None:
        atomic.write(options.json, comparison_report.document(comparison, differ))
    if options.html is not None:
        told = comparison_report.document(comparison, differ)
        html_page.compare(told, options.html, paths())
    if options.fail_on_regression and comparison.too_few:
        # A gate that can't see must not be open.
        raise BadInputError(
            "--fail-on regression: no cell could be judged, as none was measured twice on each"
            f" side; measure with a budget, or `--rounds {FEWEST}`"
        )
    failed = options.fail_on_regression and comparison.regressions
    return CELLS_FAILED if failed else 0


def export(options: ExportOptions) -> int:
    """A run for another tool, to a file or to standard output."""
    export_file.export(options, warn=_warn)
    return 0


def examine(options: DoctorOptions) -> int:
    """Whether this machine is fit to measure."""
    text, status = doctor.examine(
        *(paths(), options.output),
        fix=options.fix,
        config=options.config,
        away=(options.machines, options.listen),
    )
    print(text)
    return status


def schema(_: None) -> int:
    """experiments.schema.json and bench.schema.json, made anew."""
    where = paths()
    for name, document in (
        ("experiments", json_schema(io_kinds=where.io_kinds, servers=where.servers)),
        ("bench", target_schema(servers=where.servers)),
    ):
        target = where.root / f"{name}.schema.json"
        atomic.write(target, json.dumps(document, indent=2) + "\n")
        print(target)
    return 0


def init(options: InitOptions) -> int:
    """A first file for an application of one's own."""
    from bench.init import run  # noqa: PLC0415 - no other command needs what it imports

    run.run(options.project, options.app, say=_say)
    return 0


def ab(options: AbOptions) -> int:
    """Two revisions of an application, or cells against cells, side by side."""
    from bench.ab import command  # noqa: PLC0415 - no other command needs what it imports

    planned = _plan(options.plan)
    if planned.target is not None and options.output == arguments.REPORTS:
        options = replace(options, output=_reports_beside(options.plan))
    secrets = passed(options.plan.pass_env)
    with lock.hold(options.plan.command, paths().root):
        compare_sides = command.run if options.plan.command == "ab" else command.versus
        return compare_sides(options, planned, paths(), secrets, command.Voices(_say, _say, _warn))


def ask(options: AskOptions) -> int:
    """A question that people ask, answered by a measurement here; without a name, all questions."""
    from bench.ask import command  # noqa: PLC0415 - no other command needs what it imports

    where = paths()
    if options.check:
        return command.check(where, print)
    if not options.names and not options.every and not options.write:
        print(command.listed(where))
        return 0
    with lock.hold("ask", where.root):
        return command.run(options, where, command.Voices(print, _say, _warn))


def what_if(options: PlanOptions) -> int:
    """What would help each cell, measured beside it."""
    from bench.whatif import command  # noqa: PLC0415 - no other command needs what it imports

    planned = _plan(options)
    secrets = passed(options.pass_env)
    with lock.hold("what-if", paths().root):
        return command.run(planned, paths(), secrets, options.overrides.budget_s, _say)


def capacity(options: CapacityOptions) -> int:
    """The highest rate of independent requests at which each cell keeps what is asked of it."""
    from bench.capacity import command, slo  # noqa: PLC0415 - no other command needs it

    asked = options.plan.overrides
    slos = slo.parse(options.slos)
    if asked.rate is not None:
        raise BadInputError("--rate: found a rate, allowed: none: the rate is what is looked for")
    planned = _plan(options.plan)
    wanted = command.Asked(
        slos,
        command.BUDGET_S if asked.budget_s is None else asked.budget_s,
        command.PRECISION if asked.precision is None else asked.precision,
    )
    secrets = passed(options.plan.pass_env)
    with lock.hold("capacity", paths().root):
        return command.run(planned, paths(), secrets, wanted, options.json, _say)


def profile(options: ProfileOptions) -> int:
    """One more trial of each cell, with a profiler."""
    from bench.profile import command  # noqa: PLC0415 - no other command needs what it imports

    planned = _plan(options.plan)
    output = options.output
    if planned.target is not None and output == arguments.REPORTS:
        output = _reports_beside(options.plan)
    secrets = passed(options.plan.pass_env)
    with lock.hold(options.plan.command, paths().root):
        return command.run(planned, paths(), output, secrets, _say)


def check(options: CheckOptions) -> int:
    """What the harness costs, how true its figures are, what it survives."""
    from bench import selfcheck  # noqa: PLC0415 - no other command needs what it imports

    where = paths()
    with lock.hold(options.command, where.root):
        return selfcheck.run(options.command, options.names, where, quick=options.quick)


def _plan(options: PlanOptions) -> Plan:
    where = paths()
    config = load_config(
        _shown(options.config),
        io_kinds=where.io_kinds,
        servers=where.servers,
        passed=options.pass_env,
    )
    asked = options.overrides
    config, profile = apply(config, asked)
    if options.command in arguments.HERE and (profile.machines or profile.listen):
        raise BadInputError(
            f"`{options.command}` measures with a load generator on this machine: leave out"
            " --generator and --listen, and choose a profile that names neither"
        )
    named = options.command in arguments.NAMING
    if named and config.target is None:
        # One experiment may be any that the application has, listed or not.
        listed = config.matrix.io
        others = tuple(kind for kind in where.io_kinds if kind not in listed)
        config = replace(config, matrix=replace(config.matrix, io=listed + others))
    cells = expand(config, default_python())
    if asked.select:
        cells = select(cells, asked.select)
    if options.command == "ab" and not asked.select:
        # One cell of each experiment, unless more are asked for.
        every = bool(asked.servers or asked.workers or asked.pythons)
        names = [*dict.fromkeys(cell.experiment for cell in cells)]
        cells = resolve_single(cells, names, every=every)
    if named:
        every = bool(asked.servers or asked.workers or asked.pythons)
        cells = resolve_single(cells, options.names, every=every)
        if profile.budget_s is not None and asked.budget_s is None:
            profile = replace(profile, budget_s=SINGLE_S * len(cells))
    seed = DEFAULT_SEED if asked.seed is None else asked.seed
    planned = make_plan(cells, profile, seed=seed, target=config.target)
    if options.shard is None:
        return planned
    # By the same costs on whichever machine, so that all deal alike.
    costs_s = {cell.id: trial_s(cell, cell.load(profile), DEALT_CORES) for cell in planned.cells}
    return part_of(planned, options.shard, costs_s)


def _beside(options: MeasureOptions, planned: Plan) -> MeasureOptions:
    """Reports of one's own application go beside its file, unless `--output` says where."""
    if planned.target is None or options.run.output != arguments.REPORTS:
        return options
    return replace(options, run=replace(options.run, output=_reports_beside(options.plan)))


def _reports_beside(options: PlanOptions) -> Path:
    return options.config.resolve().parent / "reports"


def _shown(path: Path) -> Path:
    """As a person would type it: messages name the file."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except (ValueError, OSError, RuntimeError):  # elsewhere; a link to itself
        return path


def _measure(options: MeasureOptions, planned: Plan) -> Path:
    with display(quiet=options.quiet) as observer:
        secrets = passed(options.plan.pass_env)
        return orchestrate.orchestrate(planned, paths(), options.run, observer, secrets)


def _pages(output: Path) -> list[Path]:
    """Those of the published run that a person opens."""
    page = output / "latest.html"
    return [*([page] if page.is_file() else []), output / "latest.md"]


def _say(line: str) -> None:
    print(line, flush=True)


def _warn(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _status(found: tuple[Row, ...], planned: Plan) -> int:
    """0 if every declared cell has its row with numbers."""
    if not found:
        raise BadInputError("No cell was measured: the plan is empty. `nox -s plan` shows it.")
    told = {row.cell for row in found if row.verdict.usable}
    return 0 if told >= {cell.id for cell in planned.cells} else CELLS_FAILED


MEASURING = {
    "matrix",
    "single",
    "ab",
    "versus",
    "ask",
    "what-if",
    "capacity",
    "profile",
    "bench",
    "selfcheck",
}
COMMANDS: dict[str, Callable[[Any], int]] = {  # each takes the options that it is parsed to
    "matrix": matrix,
    "single": single,
    "plan": plan,
    "report": report,
    "readme": readme,
    "compare": compare,
    "export": export,
    "doctor": examine,
    "init": init,
    "ab": ab,
    "versus": ab,
    "ask": ask,
    "what-if": what_if,
    "capacity": capacity,
    "merge": merged,
    "profile": profile,
    "schema": schema,
    "bench": check,
    "selfcheck": check,
}
