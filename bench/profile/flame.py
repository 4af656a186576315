"""A flame graph as SVG, and the same stacks for speedscope. Pure; the same stacks, same bytes.

Boxes are as wide as their share of samples, a caller above what it calls; colour by whose code it
is. After Gregg, "The flame graph", Commun. ACM 59 (2016), upside down ("icicle").
"""

from __future__ import annotations

import hashlib
import html
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.profile.stacks import Frame, Stack

WIDTH, ROW, LEAST = 1200, 17, 0.4  # px; narrower boxes are left out
LETTER = 6.6  # px, of the font below


@dataclass(slots=True)
class Node:
    """A frame where it was called from."""

    frame: Frame | None
    count: int = 0
    below: dict[Frame, Node] = field(default_factory=dict)


def tree(stacks: Sequence[Stack]) -> Node:
    """All stacks, merged from the outermost on."""
    root = Node(None)
    for stack in stacks:
        root.count += stack.count
        node = root
        for frame in stack.frames:
            node = node.below.setdefault(frame, Node(frame))
            node.count += stack.count
    return root


def svg(stacks: Sequence[Stack], title: str) -> str:
    """The graph, with a title for each box that is too narrow for its name."""
    root = tree(stacks)
    boxes = [*_boxes(root, 0.0, 0, root.count or 1)]
    height = ROW * (2 + max((depth for _, _, depth, _ in boxes), default=0)) + 8
    drawn = "\n".join(_box(node, x, depth, width, root.count) for node, x, depth, width in boxes)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" \
width="{WIDTH}" height="{height}" font-family="monospace" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="4" y="13" font-weight="bold">{html.escape(title)}</text>
{drawn}
</svg>
"""


def _boxes(
    node: Node, x: float, depth: int, total: int
) -> Iterator[tuple[Node, float, int, float]]:
    for child in sorted(node.below.values(), key=lambda one: (-one.count, str(one.frame))):
        width = WIDTH * child.count / total
        if width < LEAST:
            break
        yield child, x, depth, width
        yield from _boxes(child, x, depth + 1, total)
        x += width


def _box(node: Node, x: float, depth: int, width: float, total: int) -> str:
    if node.frame is None:
        raise AssertionError  # the root has no box
    frame = node.frame
    told = f"{frame.named().replace('`', '')}: {node.count / total:.1%}"
    letters = int((width - 4) / LETTER)
    name = frame.function if len(frame.function) <= letters else frame.function[: letters - 1] + "…"
    y = ROW * (depth + 1) + 4
    label = f'<text x="{x + 2:.1f}" y="{y + 12}">{html.escape(name)}</text>' if letters > 2 else ""
    return (
        f'<g><title>{html.escape(told)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}"'
        f' height="{ROW - 1}" fill="{_colour(frame)}" stroke="#fff" stroke-width=".5"/>{label}</g>'
    )


def _colour(frame: Frame) -> str:
    """One hue a library, pale enough for black letters; the application's own is orange."""
    if frame.library is None:
        return "hsl(32 95% 68%)"
    hue = 150 + int(hashlib.sha256(frame.library.encode()).hexdigest()[:4], 16) % 150
    return f"hsl({hue} 55% 78%)"


def speedscope(stacks: Sequence[Stack], title: str) -> str:
    """For speedscope.app (its file format, "sampled"); weights are samples."""
    frames: dict[Frame, int] = {}
    samples, weights = [], []
    for stack in stacks:
        samples.append([frames.setdefault(frame, len(frames)) for frame in stack.frames])
        weights.append(stack.count)
    content: dict[str, Any] = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": title,
        "shared": {"frames": [{"name": f.function, "file": f.file} for f in frames]},
        "profiles": [
            {
                "type": "sampled",
                "name": title,
                "unit": "none",
                "startValue": 0,
                "endValue": sum(weights),
                "samples": samples,
                "weights": weights,
            }
        ],
    }
    return json.dumps(content) + "\n"
