"""When, where, with which versions and under which load something was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import placement, text
from bench.report import design

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.rows import Row
    from bench.records.model import RunRecord

PACKAGES = (
    "fastapi",
    "starlette",
    "uvicorn",
    "gunicorn",
    "uvicorn-worker",
    "gunicorn_h1c",
    "hypercorn",
    "granian",
    "fastapi-cli",
    "uvloop",
    "httptools",
    "h11",
    "httpx",
    "anyio",
)
SERVED_BY = {  # a server's own packages
    "uvicorn": ("uvicorn", "uvloop", "httptools"),
    "gunicorn": ("gunicorn", "uvicorn-worker", "uvloop", "httptools"),
    "hypercorn": ("hypercorn", "uvloop", "h11"),
    "uvicorn_h11": ("uvicorn", "uvloop", "h11"),
    "gunicorn_asgi": ("gunicorn", "gunicorn_h1c", "uvloop"),
    "granian": ("granian", "uvloop"),
    "fastapi_run": ("fastapi-cli", "uvicorn", "uvloop", "httptools"),
}


def caption(run: RunRecord) -> str:
    """One paragraph for under a table."""
    return f"{_when(run)} {_where(run)} {_versions(run.environments)} {load_model(run)}"


def brief(run: RunRecord, server: str) -> str:
    """The same in short, for a table of one server."""
    host = run.host
    found = _found(run.environments)
    named = [
        n for n in ("Python", "fastapi", "httpx", "anyio", *SERVED_BY.get(server, ())) if n in found
    ]
    versions = ", ".join(f"{name} {'/'.join(found[name])}" for name in named)
    return (
        f"{_when(run)} Machine: {text.escape(host.cpu)}, {host.cores} cores, {host.memory_gb} GB,"
        f" {text.escape(host.os)}. {cores_note(run)}"
        + (f" Versions: {versions}." if versions else "")
    )


CLOSED = (
    "The users are a closed loop without pauses: it slows down with the server, so its latencies"
    " are not those of independent arrivals."
)
OPEN = (
    "Requests come whether or not others have been answered, and each latency counts from when its"
    " request was due. Requests/s are what was asked for, and no measure of a cell: compare"
    " latencies and CPU."
)


def load_model(run: RunRecord) -> str:
    """The load, and what it means for the latencies."""
    profile = run.profile
    return (
        f"Load: profile {text.code(profile.name)}, {design.load(profile, run.varied)};"
        f" {design.repeats(profile)}. {CLOSED if profile.rate is None else OPEN}"
    )


def spread_note(rows: Sequence[Row]) -> str:
    """What the figures behind ± are."""
    counts = sorted({row.trials for row in rows if row.verdict.usable})
    if not counts or counts == [1]:
        return "One trial a cell: how far another one would differ isn't known."
    trials = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return (
        f"± is half the 95 % confidence interval of requests/s, from {trials} trials a cell; how"
        " far trials differ is pooled over the cells of an experiment. Other figures are medians"
        " over the trials."
    )


def _when(run: RunRecord) -> str:
    began = _minute(run.started)
    if run.finished is None:
        span = f"from {began} UTC, unfinished"
    elif run.finished[:10] == run.started[:10]:
        span = f"{began} to {_minute(run.finished)[11:]} UTC"
    else:
        span = f"{began} to {_minute(run.finished)} UTC"
    commit = str(run.git.get("commit", ""))[:10]
    state = " with changes" if run.git.get("dirty") else ""
    at = f", commit {text.code(commit)}{state}" if commit else ""
    return f"Measured {span}{at}."


def _minute(when: str) -> str:
    return text.escape(when[:16].replace("T", " "))


def _where(run: RunRecord) -> str:
    host = run.host
    if len(run.hosts) > 1:
        return f"{len(run.hosts)} machines, named above. {cores_note(run)}"
    return (
        f"Machine: {text.escape(host.cpu)}, {host.cores} cores, {host.memory_gb} GB,"
        f" {text.escape(host.os)}, kernel {text.escape(host.kernel)}. {cores_note(run)}"
        f"{_load_machines(run)}"
    )


def _load_machines(run: RunRecord) -> str:
    """What the load came from, if not from here; empty if it did."""
    found = [one for one in run.environments.values() if one.get("role") == "load machine"]
    if not found:
        return ""
    each = "; ".join(
        f"{text.escape(str(one.get('cpu')))}, {one.get('cores')} cores, Python"
        f" {text.escape(str(one.get('python')))} ({one.get('processes')}"
        f" process{'' if one.get('processes') == 1 else 'es'})"
        for one in found
    )
    return f" The load comes from {'another machine' if len(found) == 1 else 'others'}: {each}."


def cores_note(run: RunRecord) -> str:
    """Whose cores are whose."""
    if placed := placement.as_text(run.placement):
        return f"Kept to CPUs of their own: {placed}."
    few = run.host.cores < placement.FEWEST
    remedy = "" if few else " (`--pin auto` gives each cores of its own)"
    who = "Server" if run.profile.machines else "Server, load generator"
    return (
        f"{who} and delay server share the {run.host.cores} cores{remedy}:"
        " compare the figures with one another, don't quote them."
    )


def _versions(environments: Mapping[str, Mapping[str, Any]]) -> str:
    found = _found(environments)
    return "Versions: " + ", ".join(f"{name} {'/'.join(v)}" for name, v in found.items()) + "."


def _found(environments: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Each package's version, several where environments differ."""
    found: dict[str, list[str]] = {}
    for environment in environments.values():
        packages = environment.get("packages")
        if not isinstance(packages, dict):
            continue
        if environment.get("role") == "server":
            _add(found, "Python", environment.get("python"))
            for name in PACKAGES:
                _add(found, name, packages.get(name))
        else:
            _add(found, "locust", packages.get("locust"))
    if go := environments.get("go"):
        _add(found, "Go", str(go.get("version", "")).removeprefix("go"))
    return found


def _add(found: dict[str, list[str]], name: str, version: object) -> None:
    if version and (shown := text.escape(str(version))) not in found.setdefault(name, []):
        found[name].append(shown)
    if not found.get(name):
        found.pop(name, None)
