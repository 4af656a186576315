"""What stands on top of a page: where, when and with what it was measured, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.axes import BY_CELL
from bench.text import duration, milliseconds, number, share
from page.embed import prose, text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from page.reading import Report

FEW = 3  # parts of one effect that can be read as one sentence
PACKAGES = (
    "fastapi",
    "starlette",
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "granian",
    "uvloop",
    "httpx",
    "anyio",
)


def about(report: Report) -> str:
    """Machine, date, versions, profile."""
    run, host = report.document["run"], report.document["host"]
    items = [
        ("machine", _machines(report.document.get("hosts")) or machine(host)),
        ("measured", when(run)),
        ("load", load(run["profile"], run.get("varied", ()))),
        ("versions", versions(report.document["environments"])),
        ("commit", _commit(run.get("git") or {})),
        ("verdicts", _verdicts(report)),
    ]
    told = "".join(f"<li><b>{name}</b> {text(what)}</li>" for name, what in items if what)
    return f'<ul class="about">{told}</ul>'


def _machines(hosts: Mapping[str, Any] | None) -> str | None:
    """Of a merged run: how many, and how far they are apart."""
    if not hosts or len(hosts["machines"]) < 2:
        return None
    spreads = [one["spread"] for one in hosts["references"] if one["spread"]]
    apart = f", up to {max(spreads):.2f}× apart" if spreads else ""
    cpus = dict.fromkeys(str(one["host"].get("cpu")) for one in hosts["machines"])
    return (
        f"{len(hosts['machines'])} machines ({', '.join(cpus)}{apart}): answers are of pairs on one"
        " of them; don't compare figures of two"
    )


def machine(host: Mapping[str, Any]) -> str:
    """``AMD EPYC, 2 cores, Debian GNU/Linux 12, kernel 6.18``."""
    cores = host.get("cores")
    parts = [
        host.get("cpu"),
        None if cores is None else f"{cores} {'core' if cores == 1 else 'cores'}",
        None if host.get("memory_gb") is None else f"{number(host['memory_gb'])} GB",
        host.get("os") or host.get("system"),
        None if host.get("kernel") is None else f"kernel {host['kernel']}",
    ]
    return ", ".join(str(part) for part in parts if part)


def when(run: Mapping[str, Any]) -> str:
    """Its minute, UTC."""
    started = f"{run['started'][:16].replace('T', ' ')} UTC"
    return started if run.get("finished") else f"{started}, not finished"


def load(profile: Mapping[str, Any], varied: Collection[str] = ()) -> str:
    """Users, delay, and how often or how long; of what varies, that it does."""
    if profile.get("budget_s") is not None:
        precision = share(profile.get("precision"))
        budget = duration(profile["budget_s"]).removesuffix(" 0 s")
        spent = f"a budget of {budget}, to {precision} if it lasts"
    else:
        rounds = profile.get("rounds")
        spent = "1 round" if rounds == 1 else f"{rounds} rounds"
    delay = profile.get("delay_s")
    waits = f"delay {milliseconds(delay * 1000)}, " if delay else ""
    if "delay" in varied:
        waits = f"delay {BY_CELL}, "
    users = f"users {BY_CELL}" if "users" in varied else f"{profile['users']} users"
    if profile.get("rate"):
        users = f"{profile['rate']:g} requests/s, whether or not others are answered"
    return f"profile {profile.get('name')}: {users}, {waits}{spent}"


def versions(environments: Mapping[str, Any]) -> str:
    """Of the packages that matter, over all servers; several where they differ."""
    found: dict[str, list[str]] = {}
    for environment in environments.values():
        if environment.get("role") != "server" or environment.get("unusable"):
            continue
        packages = {"Python": environment.get("python"), **(environment.get("packages") or {})}
        for name in ("Python", *PACKAGES):
            version = packages.get(name)
            if version and str(version) not in found.setdefault(name, []):
                found[name].append(str(version))
    return ", ".join(f"{name} {' and '.join(found[name])}" for name in found if found[name])


def answers(report: Report) -> str:
    """The few that are read first; all effects as sentences stand folded below them."""
    effects = [effect["sentence"] for effect in report.document["effects"]]
    if not effects:
        return "<p>No two cells differ in one axis alone, so there is nothing to compare.</p>"
    first = "".join(
        f"<li><b>{prose(one['question'])}:</b> {prose(one['answer'])}</li>"
        for one in report.document["answers"]
    )
    every = "".join(f"<li>{_effect(sentence)}</li>" for sentence in effects)
    return f"""<ul class="answers">{first}</ul>
<p class="note">From pairs of cells that differ in nothing else; in brackets the 95 % confidence \
interval. 2.00× is twice the throughput. <em>The same</em> is within 5 %, <em>not known yet</em> \
neither that nor beyond.</p>
<details><summary>All {len(effects)} comparisons</summary>
<ol class="answers">{every}</ol></details>"""


def _effect(sentence: str) -> str:
    head, _, rest = sentence.partition(": ")
    parts = rest.split("; ")
    if len(parts) <= FEW:
        return prose(sentence)
    return f"{prose(head)}:<ul>{''.join(f'<li>{prose(part)}</li>' for part in parts)}</ul>"


def warnings(report: Report) -> str:
    """What makes a whole run less than it seems."""
    document = report.document
    told = [
        f"Not of one piece: resumed at {step['at'][:16].replace('T', ' ')} UTC although"
        f" {'; '.join(step['changes'])}."
        for step in document["run"].get("resumed") or []
    ]
    told += [f"Left out as corrupt: {d['place']} ({d['what']})." for d in document["damage"] or []]
    controls = document.get("controls")
    if controls is not None:
        told += [f"A control failed: {failure}" for failure in controls["failures"]]
    if report.no_series:
        told.append(report.no_series)
    return "".join(f'<p class="warning">{text(one)}</p>' for one in told)


def _commit(git: Mapping[str, Any]) -> str:
    if not git.get("commit"):
        return ""
    return f"{str(git['commit'])[:10]}{', with changes' if git.get('dirty') else ''}"


def _verdicts(report: Report) -> str:
    names = [row.verdict for row in report.rows]
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
