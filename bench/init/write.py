"""The first file: what was found, and beside it, as comments, what could not be guessed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.init.ask import Answer
    from bench.init.find import Found

MOST = 20  # requests in a first file
NAMED = 5  # of the routes that are left out
EXAMPLES = {"integer": "1", "number": "1", "boolean": "true"}
NOT_THEIRS = ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/schema")
READY = ("/health", "/healthz", "/ready", "/readyz", "/livez", "/up", "/ping")


def document(
    project: Path, found: Found, others: Sequence[Found], answer: Answer, install: str
) -> tuple[str, list[str]]:
    """The file's text, and what it leaves for a person to say."""
    open_ends = [*_left_open(found, others, answer, install)]
    target: dict[str, Any] = {"app": found.app}
    if found.factory:
        target["factory"] = True
    if found.root != project:
        target["path"] = str(found.root.relative_to(project))
    if install:
        # Of the project's folder, wherever the application lies in it.
        up = "" if found.root == project else "../"
        target["install"] = [re.sub(r"^(-r )?", rf"\g<0>{up}", install)]
    wanted = [route for route in answer.routes if route["path"] not in NOT_THEIRS]
    paths = {route["path"] for route in wanted}
    ready = next((path for path in READY if path in paths), None)
    if ready is not None:
        target["ready"] = ready
    requests: dict[str, Any] = {}
    chosen, unguessed = _chosen(wanted)
    for route in chosen:
        request, guessed = _request(route)
        requests[_name(route["path"], requests)] = request
        open_ends += [f"{route['path']}: {guess}" for guess in guessed]
    if unguessed:
        named = ", ".join(str(route["path"]) for route in unguessed[:NAMED])
        more = f" and {len(unguessed) - NAMED} more" if len(unguessed) > NAMED else ""
        open_ends.append(f"left out, as they need text that can't be guessed: {named}{more}")
    if (cut := len(wanted) - len(unguessed) - len(chosen)) > 0:
        open_ends.append(f"{cut} more routes answer GET: {MOST} stand here")
    if not requests:
        requests["root"] = {"path": "/"}
        open_ends.append("no route is known: / is a guess")
    head = "# A first file, by `nox -s init`. docs/own-application.md says what else it may have.\n"
    notes = "".join(f"# - {line}\n" for line in open_ends)
    if notes:
        head += f"# To be looked at:\n{notes}"
    return head + _yaml({"target": target}) + _yaml({"requests": requests}) + _REST, open_ends


def _chosen(
    routes: Sequence[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Those that go into the file, and those that need a text that nobody can guess.

    Without a guess first; a number is guessed as 1. If all need a text, they stand all the same.
    """

    def lacks(route: Mapping[str, Any], *, text: bool) -> bool:
        return any(
            need["example"] is None and (not text or need["type"] not in EXAMPLES)
            for need in route["needs"]
        )

    known = [route for route in routes if not lacks(route, text=True)]
    if not known:
        return [*routes[:MOST]], []
    ordered = sorted(known, key=lambda route: lacks(route, text=False))
    return ordered[:MOST], [route for route in routes if lacks(route, text=True)]


_REST = """
matrix:
  server: [uvicorn]
  workers: [1]

default_profile: quick
profiles:
  quick: {users: 50, budget: 5m, precision: 10%}
"""


def _yaml(part: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(part, sort_keys=False, allow_unicode=True, width=100)
    return text


def _left_open(
    found: Found, others: Sequence[Found], answer: Answer, install: str
) -> Iterator[str]:
    if others:
        names = ", ".join(other.app for other in others[:5])
        yield f"app: {found.app} is taken; {names} could be meant, too"
    if not install:
        yield "install: nothing in the folder says what the application needs"
    if answer.problem is not None:
        yield f"requests: {answer.problem}"


def _request(route: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """With a value for each parameter that is needed, and which of these were guessed."""
    path, query, vary, guessed = route["path"], {}, {}, []
    headers: dict[str, str] = {}
    for need in route["needs"]:
        name, value = str(need["name"]), need["example"]
        if value is None:
            value = EXAMPLES.get(str(need["type"]), "x")
            guessed.append(f"{name} is {value}, a guess")
        if need["in"] == "path":
            variable = re.sub(r"\W", "_", name)
            path = re.sub(r"\{" + re.escape(name) + r"(:[^}]*)?\}", f"${{{variable}}}", path)
            vary[variable] = [value]
        elif need["in"] == "query":
            query[name] = value
        elif need["in"] == "header":
            headers[name] = str(value)
    if route["secured"]:
        guessed.append("it asks for credentials: `login` and `headers` can give them")
    made: dict[str, Any] = {"path": path}
    more = {"query": query, "vary": vary, "headers": headers}
    return {**made, **{key: values for key, values in more.items() if values}}, guessed


def _name(path: str, taken: Mapping[str, Any]) -> str:
    """As an experiment may be called, and no other is."""
    words = re.findall(r"[A-Za-z0-9]+", path)
    stem = "_".join(words)[:50] or "root"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name
