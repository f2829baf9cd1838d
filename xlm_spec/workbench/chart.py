"""Line charts as inline SVG; report.css has the colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, inf, log2, log10

from xlm_spec.workbench.curves import Point

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 12, 44  # around the coordinate system
COLOURS, TICKS = 8, 5


@dataclass(frozen=True)
class Line:
    """A curve; `style` selects its colour, and its dashes once the colours are used up."""

    name: str
    points: Sequence[Point]
    style: int
    dots: bool = False  # each point is a measurement
    joined: bool = True
    large: bool = False  # dots


@dataclass(frozen=True)
class Scale:
    """From values to coordinates; `log`: logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        low, high = (log2(v) if self.log else v for v in (self.low, self.high))
        at = log2(value) if self.log else value
        return round(self.start + (self.end - self.start) * (at - low) / ((high - low) or 1), 1)

    @property
    def ticks(self) -> list[float]:
        if self.log:
            powers = range(ceil(log2(self.low)), floor(log2(self.high)) + 1)
            return [2.0**p for p in powers]
        step = nice((self.high - self.low) / TICKS)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def chart(title: str, x: str, y: str, lines: Sequence[Line], log: bool = False) -> str:
    """A figure with its title; empty if there are no points. The range of a y in % is 0 to 100."""
    lines = [line for line in lines if line.points]
    if not lines:
        return ""
    across, up = scales(lines, log, (0, 100) if y.endswith("%") else (-inf, inf))
    parts = [axes(across, up, x, y), *(drawn(line, across, up) for line in lines)]
    label = escape(f"{title}: {', '.join(line.name for line in lines)}", quote=True)
    svg = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )
    return f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>"


def legend(lines: Sequence[Line]) -> str:
    """A legend of names and colours."""
    sample = '<svg class="key" viewBox="0 0 28 10"><path class="line {}" d="M1 5H27"/></svg>'
    entries = (f"<li>{sample.format(classes(x))}{escape(x.name)}</li>" for x in lines)
    return f'<ul class="key">{"".join(entries)}</ul>'


def scales(lines: Sequence[Line], log: bool, within: tuple[float, float]) -> tuple[Scale, Scale]:
    points = [p for line in lines for p in line.points]
    left, right = min(p.x for p in points), max(p.x for p in points)
    low, high = min(p.mean - p.sd for p in points), max(p.mean + p.sd for p in points)
    margin = (high - low) * 0.06 or max(abs(high) * 0.1, 0.5)
    if log:
        left, right = max(left, 0.5) / 1.1, max(right, 1.0) * 1.1
    elif left == right:
        left, right = left - 1, right + 1
    across = Scale(left, right, LEFT, WIDTH - RIGHT, log)
    low, high = max(low - margin, within[0]), min(high + margin, within[1])
    return across, Scale(low, high, HEIGHT - BOTTOM, TOP)


def axes(across: Scale, up: Scale, x: str, y: str) -> str:
    parts = []
    for tick in up.ticks:
        at = up(tick)
        parts.append(f'<path class="rule" d="M{LEFT} {at}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4}" class="end">{number(tick)}</text>')
    for tick in across.ticks:
        at = across(tick)
        parts.append(f'<path class="rule" d="M{at} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{at}" y="{HEIGHT - BOTTOM + 16}">{number(tick)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}">{escape(x)}</text>')
    turned = f'transform="translate(13 {middle}) rotate(-90)"'
    parts.append(f"<text {turned}>{escape(y)}</text>")
    return "".join(parts)


def drawn(line: Line, across: Scale, up: Scale) -> str:
    points = [(across(p.x), up(p.mean)) for p in line.points]
    parts = []
    if any(p.sd for p in line.points) and line.joined:
        above = [f"{across(p.x)} {up(p.mean + p.sd)}" for p in line.points]
        below = [f"{across(p.x)} {up(p.mean - p.sd)}" for p in reversed(line.points)]
        parts.append(f'<path class="band {classes(line)}" d="M{"L".join(above + below)}Z"/>')
    if line.joined:
        path = "L".join(f"{x} {y}" for x, y in points)
        parts.append(f'<path class="line {classes(line)}" d="M{path}"/>')
    else:
        bars = [f"M{across(p.x)} {up(p.mean - p.sd)}V{up(p.mean + p.sd)}" for p in line.points]
        parts.append(f'<path class="line {classes(line)}" d="{"".join(bars)}"/>')
    if line.dots or len(points) == 1:
        radius = 5 if line.large else 2.5
        labels = [f"{number(p.x)}: {number(p.mean)}" for p in line.points]
        parts += [
            f'<circle class="dot {classes(line)}" cx="{x}" cy="{y}" r="{radius}">'
            f"<title>{escape(line.name)}, {t}</title></circle>"
            for (x, y), t in zip(points, labels, strict=True)
        ]
    return "".join(parts)


def classes(line: Line) -> str:
    return f"colour-{line.style % COLOURS} dash-{line.style // COLOURS % 3}"


def nice(step: float) -> float:
    """The next larger of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step * 0.999)


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
