"""The load generator as a child: locust, headless, in its own environment, waiting at its gate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.run.failure import TrialFailed
from bench.run.process import children
from bench.run.process.children import Child, Ended, Late

if TYPE_CHECKING:
    from pathlib import Path

    from bench.config import Profile
    from bench.config.target import Locustfile
    from bench.run.lab import Lab


THEIR_RAMP_S = 2.0  # of users who can't be told when to begin


def start(lab: Lab, profile: Profile, route: str, folder: Path, *, phase: float) -> Child:
    """Start it; it imports everything and then waits for ``aim`` and its gate.

    Args:
        lab: where it runs.
        profile: of its users.
        route: what they ask; of one's own application its name.
        folder: of the trial.
        phase: of the start, 0 to 1.
    """
    own = {} if lab.own is None else {"MATRIX_SECRETS": json.dumps(dict(lab.own.secrets))}
    theirs = None if lab.own is None else lab.own.target.locustfiles.get(route)
    if lab.own is not None and theirs is not None:
        own |= lab.own.secrets  # as its users would have them without us
    fixed = {} if profile.spawn_rate is None else {"MATRIX_SPAWN_RATE": str(profile.spawn_rate)}
    return children.start(
        "the load generator",
        [
            *(lab.load_python, "-m", "locust", "-f"),
            "locustfiles/users.py" if theirs is None else f"locustfiles/theirs.py,{theirs.path}",
            *("--headless", "--only-summary", "--skip-log-setup"),
            *("--users", str(profile.users), "--spawn-rate", f"{_spawn_rate(profile, theirs):g}"),
            *("--exit-code-on-error", "0", "--stop-timeout", "0"),
        ],
        keeper=lab.keeper,
        cwd=lab.root,
        env=children.child_environment(
            MATRIX_TRIAL_DIR=str(folder),
            MATRIX_ROUTE=route,
            MATRIX_PHASE=str(phase),
            **fixed,
            **own,
        ),
        log=folder / "generator.log",
        tells="pipe",
        cpus=lab.placement.generator,
    )


def _spawn_rate(profile: Profile, theirs: Locustfile | None) -> float:
    """Ours all at once: each then waits for its turn (locustfiles/ramp.py)."""
    if theirs is None:
        return float(profile.users)
    return profile.spawn_rate or max(1.0, profile.users / THEIR_RAMP_S)


def aim(
    folder: Path,
    url: str,
    *,
    workers: int,
    least_s: float = 0.0,
    body: bytes | None = None,
    plan: dict[str, Any] | None = None,
) -> None:
    """Say where the load goes, and what each right answer is.

    Args:
        folder: of the trial.
        url: of the server.
        workers: of the server.
        least_s: that an answer takes.
        body: byte for byte, of the application here,
        plan: else what is asked of one's own (`bench.config.target.as_json`).
    """
    if body is not None:
        (folder / "expected-body").write_bytes(body)
    target = {"url": url, "least_s": least_s, "workers": workers, "plan": plan}
    (folder / "target.json").write_text(json.dumps(target), encoding="utf-8")


def await_ready(load: Child, timeout_s: float) -> None:
    """Wait until it stands at its gate.

    Raises:
        TrialFailed: it ended, or is not ready in time.
    """
    try:
        event = load.event(timeout_s)
    except Late as late:
        raise TrialFailed(f"{late}: {load.log_tail()}") from None
    except Ended:
        raise TrialFailed(f"the load generator ended at its start: {load.log_tail()}") from None
    if event.get("event") != "ready":
        raise TrialFailed(f"the load generator said {event!r} instead of being ready")
