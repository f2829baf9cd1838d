"""A frontier as SVG: entropy across, judge NLL up, a curve for each sampler and step count."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from xlm_spec.runtime.evaluation.frontier import DATA, Point

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 760, 420, 64, 16, 48
PLOT = 480  # width of the coordinate system; the rest is the legend
COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#97266d", "#975a16", "#285e61", "#553c9a", "#718096")
TEXT = "#4a5568"


class Axis:
    """From values to coordinates, with round ticks."""

    def __init__(self, values: Sequence[float], start: float, end: float):
        low, high = min(values), max(values)
        margin = 0.06 * (high - low) or 0.5
        self.low, self.high, self.start, self.end = low - margin, high + margin, start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + (self.end - self.start) * share, 1)

    @property
    def ticks(self) -> list[float]:
        rough = (self.high - self.low) / 5
        power = 10.0 ** floor(log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def plot(points: Sequence[Point], title: str) -> str:
    """The file. Bars are the bands of both figures; a curve joins the temperatures in order."""
    across = Axis([x for p in points for x in (p.entropy_low, p.entropy_high)], LEFT, PLOT)
    up = Axis([y for p in points for y in (p.nll_low, p.nll_high)], HEIGHT - BOTTOM, TOP)
    curves: dict[str, list[Point]] = {}
    for p in points:
        curves.setdefault(p.curve, []).append(p)
    parts = grid(across, up)
    for i, (name, found) in enumerate(curves.items()):
        colour = "#1a202c" if found[0].sampler == DATA else COLOURS[i % len(COLOURS)]
        dash = "" if i < len(COLOURS) else ' stroke-dasharray="5 3"'
        parts += curve(found, across, up, colour, dash)
        at = TOP + 14 + 18 * i
        parts.append(f'<rect x="{PLOT + 20}" y="{at - 8}" width="10" height="10" fill="{colour}"/>')
        parts.append(text(PLOT + 36, at + 1, name, "start"))
    label = escape(f"{title}: {', '.join(curves)}", quote=True)
    height = max(HEIGHT, TOP + 30 + 18 * len(curves))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{label}" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>\n'
    )


def curve(found: list[Point], across: Axis, up: Axis, colour: str, dash: str) -> list[str]:
    ordered = sorted(found, key=lambda p: p.temperature or 0.0)
    line = " ".join(f"{across(p.entropy)},{up(p.nll)}" for p in ordered)
    parts = [f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"{dash}/>']
    for p in ordered:
        x, y = across(p.entropy), up(p.nll)
        bars = f"M{across(p.entropy_low)} {y}H{across(p.entropy_high)}"
        bars += f"M{x} {up(p.nll_low)}V{up(p.nll_high)}"
        parts.append(f'<path d="{bars}" stroke="{colour}" stroke-width="1" opacity="0.55"/>')
        at = "" if p.temperature is None else f", temperature {p.temperature:g}"
        said = f"{p.curve}{at}: NLL {p.nll:.3f}, entropy {p.entropy:.3f}"
        shown = f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}">'
        parts.append(f"{shown}<title>{escape(said)}</title></circle>")
    return parts


def grid(across: Axis, up: Axis) -> list[str]:
    parts = []
    for tick in up.ticks:
        parts.append(f'<path d="M{LEFT} {up(tick)}H{PLOT}" stroke="#a0aec0" opacity="0.4"/>')
        parts.append(text(LEFT - 6, up(tick) + 4, f"{tick:.4g}", "end"))
    for tick in across.ticks:
        x = across(tick)
        parts.append(f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#a0aec0" opacity="0.4"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 16, f"{tick:.4g}", "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    named = text((LEFT + PLOT) / 2, HEIGHT - 10, "unigram entropy of samples, nats", "middle")
    turned = f' transform="translate(14 {middle}) rotate(-90)"'
    return [*parts, named, text(0, 0, "NLL under the judge, nats per token", "middle", turned)]


def text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    at = more or f' x="{x}" y="{y}"'
    return f'<text{at} text-anchor="{anchor}" fill="{TEXT}">{escape(words)}</text>'
