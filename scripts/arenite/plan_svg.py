"""A plan as an SVG picture: operators across, bytes up, one box a tensor or scratch block."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from arenite.plan import NOTE, Box, Plan, short

COLOURS = {"tensor": "#8fbbe8", "scratch": "#f2c879", "state": "#b8d8a0"}
LEFT, TOP, RIGHT, HEIGHT, NAMES, ROOM = 70, 64, 16, 460, 150, 900
STYLE = """
  text { font: 11px sans-serif; fill: #222 }
  .title { font-size: 15px; font-weight: bold }
  .small { font-size: 9px }
  .grid { stroke: #ddd }
  .box { stroke: #345; stroke-width: 0.8 }
  .row { stroke: #345; stroke-width: 0.4; stroke-dasharray: 2 2 }
  .over { fill: url(#hatch); stroke: #a22; stroke-width: 0.8 }
"""
HATCH = (
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line x1="0" y1="0" x2="0" y2="6" stroke="#a22" stroke-width="1.6"/></pattern>'
)


@dataclass(frozen=True)
class _Scale:
    """From operators and bytes to pixels."""

    column: float
    low: int
    high: int

    def x(self, operator: int) -> float:
        return LEFT + operator * self.column

    def y(self, byte: float) -> float:
        return TOP + HEIGHT * (1 - (byte - self.low) / max(self.high - self.low, 1))


def svg(plan: Plan) -> str:
    """The picture of a plan."""
    count = max(len(plan.steps), 1)
    scale = _Scale(max(18.0, ROOM / count), 0, max(plan.peak, 1))
    width = scale.x(count) + RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{TOP + HEIGHT + NAMES}">',
        f"<style>{STYLE}</style><defs>{HATCH}</defs>",
        f'<rect width="{width:.0f}" height="{TOP + HEIGHT + NAMES}" fill="white"/>',
        *_head(plan),
        *_grid(plan, scale),
        _records(plan, scale),
        *(_box(plan, box, scale) for box in plan.boxes),
        *(_overlap(plan, box, scale) for box in plan.boxes),
        *(_label(box, scale) for box in plan.boxes),
        *_operators(plan, scale),
        "</svg>\n",
    ]
    return "\n".join(part for part in parts if part)


def _head(plan: Plan) -> list[str]:
    state = f", {plan.state:,} of state" if plan.state else ""
    facts = f"{plan.records:,} bytes of records{state}, {plan.activations:,} of activations; {NOTE}"
    return [
        f'<text class="title" x="{LEFT}" y="20">{escape(plan.model)}: arena {plan.arena:,} bytes</text>',
        f'<text x="{LEFT}" y="36">{facts}</text>',
        *_key(),
    ]


def _key() -> list[str]:
    parts, x = [], LEFT
    for kind, colour in [*COLOURS.items(), ("records", "#ddd"), ("one box trails another, or lies in place of it", "")]:
        paint = f'class="box" fill="{colour}"' if colour else 'class="over"'
        parts.append(f'<rect {paint} x="{x}" y="45" width="12" height="10"/><text x="{x + 16}" y="54">{kind}</text>')
        x += 90
    parts.append(f'<text x="{x + 200}" y="54">dotted: rows of a ring</text>')
    return parts


def _grid(plan: Plan, scale: _Scale) -> list[str]:
    parts = []
    for n in range(9):
        byte = scale.low + (scale.high - scale.low) * n / 8
        y, end = scale.y(byte), scale.x(max(len(plan.steps), 1))
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{end:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{byte:,.0f}</text>')
    return parts


def _rect(kind: str, x: tuple[float, float], y: tuple[float, float], title: str) -> str:
    place = f'x="{x[0]:.1f}" y="{y[1]:.1f}" width="{x[1] - x[0]:.1f}" height="{max(y[0] - y[1], 0.5):.1f}"'
    return f"<rect {kind} {place}><title>{escape(title)}</title></rect>"


def _records(plan: Plan, scale: _Scale) -> str:
    x = (scale.x(0), scale.x(max(len(plan.steps), 1)))
    title = f"records of the operators: {plan.records:,} bytes"
    return _rect('class="box" fill="#ddd"', x, (scale.y(0), scale.y(plan.records)), title)


def _box(plan: Plan, box: Box, scale: _Scale) -> str:
    x, y = (scale.x(box.first), scale.x(box.last + 1)), (scale.y(box.offset), scale.y(box.end))
    says = box.says(plan.boxes)
    title = f"{box.kind} {box.name}: {box.bytes:,} bytes from {box.offset:,}{'; ' if says else ''}{says}"
    parts = [_rect(f'class="box" fill="{COLOURS[box.kind]}" fill-opacity="0.85"', x, y, title)]
    if box.held > 1 and (y[0] - y[1]) / box.held >= 3:
        for row in range(1, box.held):
            at = y[0] - (y[0] - y[1]) * row / box.held
            parts.append(f'<line class="row" x1="{x[0]:.1f}" y1="{at:.1f}" x2="{x[1]:.1f}" y2="{at:.1f}"/>')
    return "".join(parts)


def _label(box: Box, scale: _Scale) -> str:
    """As much of its name as it has room for."""
    x, y = (scale.x(box.first), scale.x(box.last + 1)), (scale.y(box.offset), scale.y(box.end))
    fits = int((x[1] - x[0] - 6) / 5.4)
    if y[0] - y[1] < 11 or fits < 2:
        return ""
    name = short(box.name)
    text = escape(name if len(name) <= fits else name[: fits - 1] + "…")
    return f'<text class="small" x="{x[0] + 3:.1f}" y="{(y[0] + y[1]) / 2 + 3:.1f}">{text}</text>'


def _overlap(plan: Plan, box: Box, scale: _Scale) -> str:
    """What a box has in common with the one that it trails."""
    if box.trails is None:
        return ""
    source = plan.boxes[box.trails]
    low, high = max(box.offset, source.offset), min(box.end, source.end)
    first, last = max(box.first, source.first), min(box.last, source.last)
    if low >= high or first > last:
        return ""
    x, y = (scale.x(first), scale.x(last + 1)), (scale.y(low), scale.y(high))
    return _rect('class="over"', x, y, f"{box.name}: {box.says(plan.boxes)}, through {high - low:,} bytes")


def _operators(plan: Plan, scale: _Scale) -> list[str]:
    """Their names below, and a bar above those that take turns."""
    parts, bottom = [], TOP + HEIGHT
    for k, step in enumerate(plan.steps):
        x = scale.x(k) + scale.column / 2 + 4
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 12}" text-anchor="end" transform="rotate(-60 {x:.1f} {bottom + 12})">'
            f"{k} {escape(step.op)}<title>{escape(step.name)}</title></text>"
        )
    for first in sorted({step.turns for step in plan.steps}):
        last = max(k for k, step in enumerate(plan.steps) if step.turns == first)
        if last > first:
            span = (scale.x(first) + 1, scale.x(last + 1) - 1)
            title = f"operators {first} to {last} take turns, a row at a time"
            parts.append(_rect('fill="#c66"', span, (bottom + 4, bottom + 1), title))
    return parts
