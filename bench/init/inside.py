"""Runs in the application's own environment: imports it, and prints its routes as JSON.

Of the standard library alone. ``python inside.py module:name [factory]``, in the project's folder.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def example(parameter: dict[str, Any]) -> Any:
    """A value that the document itself gives: an example, the default, the first of a list."""
    schema = parameter.get("schema") or {}
    examples = schema.get("examples")
    many = examples if isinstance(examples, list) else []
    found = [parameter.get("example"), schema.get("example"), *many, schema.get("default")]
    found += schema.get("enum") or []
    return next((one for one in found if isinstance(one, (str, int, float, bool))), None)


def paths(document: Any) -> list[dict[str, Any]]:
    """Of an OpenAPI document: each GET with its parameters that are needed."""
    found = []
    for path, operations in document.get("paths", {}).items():
        operation = operations.get("get") if isinstance(operations, dict) else None
        if operation is None:
            continue
        parameters = [*operations.get("parameters", []), *operation.get("parameters", [])]
        found.append(
            {
                "path": path,
                "needs": [
                    {
                        "name": one.get("name"),
                        "in": one.get("in"),
                        "type": (one.get("schema") or {}).get("type"),
                        "example": example(one),
                    }
                    for one in parameters
                    if isinstance(one, dict) and one.get("required")
                ],
                "secured": bool(operation.get("security")),
            }
        )
    return found


def listed(application: Any) -> list[dict[str, Any]]:
    """Of an application with a list of routes, as Starlette's."""
    found = []
    for route in getattr(application, "routes", []):
        path, methods = getattr(route, "path", None), getattr(route, "methods", None) or ()
        if isinstance(path, str) and "GET" in methods:
            names = [part[1:-1].partition(":")[0] for part in path.split("/") if part[:1] == "{"]
            found.append(
                {
                    "path": path,
                    "needs": [{"name": n, "in": "path", "type": None, "example": None}
                              for n in names],
                    "secured": False,
                }
            )  # fmt: skip
    return found


def main() -> None:
    """Import, ask, print on the last line."""
    sys.path.insert(0, ".")
    module, _, name = sys.argv[1].partition(":")
    application = getattr(importlib.import_module(module), name)
    if "factory" in sys.argv[2:]:
        application = application()
    document: Any = None
    if callable(getattr(application, "openapi", None)):  # FastAPI
        document = application.openapi()
    elif hasattr(application, "openapi_schema"):  # Litestar
        document = application.openapi_schema.to_schema()
    routes = listed(application) if document is None else paths(document)
    print()
    print(json.dumps({"openapi": document is not None, "routes": routes}))


if __name__ == "__main__":
    main()
