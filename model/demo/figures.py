"""Small line charts as SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite, log10
from pathlib import Path

COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee")
"""Paul Tol's bright scheme: told apart by readers with any colour vision."""

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 360, 64, 48, 40


def line_chart(path: str | Path, series: Mapping[str, Sequence[tuple[float, float]]], *, title: str, x: str, y: str,
               logarithmic: bool = False) -> Path:
    """Write a line chart.

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
    x1, y1 = (x1 if x1 > x0 else x0 + 1), (y1 if y1 > y0 else y0 + 1)
    right = WIDTH - 16

    def at(a: float, b: float) -> tuple[float, float]:
        return (LEFT + (a - x0) / (x1 - x0) * (right - LEFT),
                HEIGHT - BOTTOM - (b - y0) / (y1 - y0) * (HEIGHT - BOTTOM - TOP))

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
             f'<text x="{LEFT}" y="20" font-size="15" fill="#1d2733">{escape(title)}</text>']
    for i in range(5):
        a, b = x0 + (x1 - x0) * i / 4, y0 + (y1 - y0) * i / 4
        px, _ = at(a, y0)
        _, py = at(x0, b)
        parts += [f'<line x1="{LEFT}" x2="{right}" y1="{py:.1f}" y2="{py:.1f}" stroke="#e6eaf0"/>',
                  f'<text x="{LEFT - 6}" y="{py + 4:.1f}" text-anchor="end" fill="#55606e">{_label(b, logarithmic)}</text>',
                  f'<text x="{px:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#55606e">'
                  f'{_label(a, logarithmic)}</text>']
    parts += [f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle" fill="#1d2733">{escape(x)}</text>',
              f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle" '
              f'fill="#1d2733">{escape(y)}</text>']
    for number, (name, rows) in enumerate(points.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = " ".join("{:.1f},{:.1f}".format(*at(a, b)) for a, b in rows)
        parts += [f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>',
                  f'<text x="{right}" y="{TOP + 14 * number}" text-anchor="end" fill="{colour}">{escape(name)}</text>']
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")
    return file


def _label(value: float, logarithmic: bool) -> str:
    return f"{10 ** value:.3g}" if logarithmic else f"{value:.3g}"
