"""What a worker runs on."""

from __future__ import annotations

import sys

PROTOCOLS = {
    "uvicorn.protocols.http.httptools_impl": "httptools",
    "uvicorn.protocols.http.h11_impl": "h11",
    "hypercorn.protocol.h11": "h11",
}


def parser() -> str | None:
    """The HTTP parser that a server's own protocol modules have loaded; None: none of these."""
    found = {name for module, name in PROTOCOLS.items() if module in sys.modules}
    return next((name for name in ("httptools", "h11") if name in found), None)
