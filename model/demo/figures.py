"""Small line charts as SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, isfinite, log10
from pathlib import Path

COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee")
"""Paul Tol's bright scheme: told apart by readers with any colour vision."""

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 640, 380, 76, 36, 54, 64
"""Of the picture, and the margins around the plot; the upper one holds the title and the names of the lines."""
TICKS = 5
_LETTER = 8  # a letter's width at this font size, with room to spare


def line_chart(path: str | Path, series: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str, y: str,
               logarithmic: bool = False) -> Path:
    """Write a line chart, with the names of its lines above the plot, where no line can run into them.

    Args:
        path: an ``.svg`` file.
        series: name -> points.
        title: above the chart.
        x: name of the axis.
        y: likewise.
        logarithmic: both axes by powers of ten.
    """
    scale = (lambda v: log10(max(v, 1e-12))) if logarithmic else float
    points = {name: [(scale(a), scale(b)) for a, b in rows if isfinite(a) and isfinite(b)]
              for name, rows in series.items()}
    xs = [a for rows in points.values() for a, _ in rows] or [0.0, 1.0]
    ys = [b for rows in points.values() for _, b in rows] or [0.0, 1.0]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    if not logarithmic:
        y0 = min(y0, 0.0)
    ticks = _powers if logarithmic else _round_numbers
    x1, y1 = (x1 if x1 > x0 else x0 + 1), (y1 if y1 > y0 else y0 + 1)
    y_ticks = ticks(y0, y1)
    y0, y1 = min(y0, y_ticks[0]), max(y1, y_ticks[-1])
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(a: float, b: float) -> tuple[float, float]:
        return LEFT + (a - x0) / (x1 - x0) * (right - LEFT), bottom - (b - y0) / (y1 - y0) * (bottom - TOP)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="14"><title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
             f'<text x="{LEFT}" y="24" font-size="17" fill="#1d2733">{escape(title)}</text>']
    for b in y_ticks:
        height = at(x0, b)[1]
        parts += [f'<line x1="{LEFT}" x2="{right}" y1="{height:.1f}" y2="{height:.1f}" stroke="#e6eaf0"/>',
                  f'<text x="{LEFT - 8}" y="{height + 5:.1f}" text-anchor="end" fill="#55606e">{_label(b, logarithmic)}</text>']
    for a in (a for a in ticks(x0, x1) if x0 <= a <= x1):
        place = at(a, y0)[0]
        parts += [f'<line x1="{place:.1f}" x2="{place:.1f}" y1="{bottom}" y2="{bottom + 5}" stroke="#55606e"/>',
                  f'<text x="{place:.1f}" y="{bottom + 20}" text-anchor="middle" fill="#55606e">{_label(a, logarithmic)}</text>']
    parts += [f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 10}" text-anchor="middle" fill="#1d2733">{escape(x)}</text>',
              f'<text transform="translate(16 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle" '
              f'fill="#1d2733">{escape(y)}</text>']
    left = LEFT
    for number, (name, rows) in enumerate(points.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = " ".join("{:.1f},{:.1f}".format(*at(a, b)) for a, b in rows)
        parts += [f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>',
                  f'<line x1="{left}" x2="{left + 22}" y1="42" y2="42" stroke="{colour}" stroke-width="4"/>',
                  f'<text x="{left + 28}" y="47" fill="#1d2733">{escape(name)}</text>']
        left += 28 + _LETTER * len(name) + 20
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")
    return file


def _round_numbers(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, from at or above ``low`` to at or beyond ``high``.

    Example:
        >>> _round_numbers(0.0, 4.79)
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        >>> _round_numbers(1, 20)
        [5.0, 10.0, 15.0, 20.0]
    """
    power = 10.0 ** floor(log10((high - low) / TICKS))
    step = min((power * m for m in (1, 2, 5, 10)), key=lambda s: abs((high - low) / s - TICKS))
    digits = max(0, 1 - floor(log10(step)))  # 3 * 0.1 is not 0.3
    return [round(n * step, digits) for n in range(ceil(low / step - 1e-9), ceil(high / step - 1e-9) + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Logarithms of round numbers from at or below ``low`` to at or beyond ``high``: the fewer, the wider the range.

    Example:
        >>> [f"{10 ** v:,.0f}" for v in _powers(3.0, 5.0)]
        ['1,000', '10,000', '100,000']
        >>> [f"{10 ** v:,.0f}" for v in _powers(2.5, 3.5)]
        ['200', '500', '1,000', '2,000', '5,000']
    """
    factors = (1,) if high - low >= 2 else (1, 2, 5) if high - low >= 0.5 else range(1, 10)
    found = sorted(log10(f) + p for p in range(floor(low) - 1, ceil(high) + 2) for f in factors)
    first = max(i for i, v in enumerate(found) if v <= low + 1e-9)
    last = next(i for i, v in enumerate(found) if v >= high - 1e-9)
    return found[first:last + 1]


def _label(value: float, logarithmic: bool) -> str:
    shown = 10 ** value if logarithmic else value
    return f"{shown:,.0f}" if abs(shown) >= 1000 else f"{shown:.3g}"
