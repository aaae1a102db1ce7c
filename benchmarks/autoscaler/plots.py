"""Plots of what a simulation found, as SVG that needs nothing else: no script, no font of somebody's server."""

from collections.abc import Sequence
from pathlib import Path

import pygal
from pygal.style import Style

from benchmarks.autoscaler.world import Result

# Colours that are told apart by who sees few of them (Okabe and Ito), on white and on dark pages alike.
STYLE = Style(
    background="#ffffff",
    plot_background="#ffffff",
    colors=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"),
    font_family="system-ui, sans-serif",
    foreground="#333333",
    foreground_strong="#111111",
    foreground_subtle="#666666",
    guide_stroke_color="#e4e4e4",
    guide_stroke_dasharray="",
    major_guide_stroke_color="#cfcfcf",
    major_guide_stroke_dasharray="",
    title_font_size=18,
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    value_font_size=12,
)
POINTS = 700  # of a line
LEAST_MINUTES = 0.1  # so that no waiting has a place on a logarithmic scale


def _chart(kind: type, **options: object) -> "pygal.Graph":
    plain = {"js": [], "style": STYLE, "width": 900, "height": 380, "pretty_print": False, "show_dots": False}
    return kind(**(plain | options), disable_xml_declaration=True)


def cost_and_wait(results: Sequence[Result], waits: Sequence[float], path: Path, *, title: str) -> None:
    """A point for each policy: what it cost, and how long one in twenty jobs waited at least."""
    chart = _chart(
        pygal.XY,
        title=title,
        x_title="Cost in dollars",
        y_title="95 % waited less, min",
        logarithmic=True,
        stroke=False,
        show_dots=True,
        dots_size=7,
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
    )
    for result, wait in zip(results, waits, strict=True):
        chart.add(result.name, [(round(result.cost, 2), max(LEAST_MINUTES, round(wait / 60, 2)))])
    path.write_text(chart.render(is_unicode=True))


def cores(result: Result, path: Path, *, title: str, first_day: float, days: float) -> None:
    """Cores that were paid and cores that were busy, over some days."""
    chart = _chart(
        pygal.XY,
        title=title,
        x_title="Day",
        y_title="Cores",
        stroke=True,
        fill=False,
        legend_at_bottom=True,
        interpolate=None,
    )
    inside = [row for row in result.history if first_day <= row[0] / 86_400 <= first_day + days]
    step = max(1, len(inside) // POINTS)
    # Of each stretch what was most: a peak must not fall between two points.
    shown = [max(inside[n : n + step], key=lambda row: (row[1], row[2])) for n in range(0, len(inside), step)]
    chart.add("there are", [(round(at / 86_400, 3), there) for at, there, _, _ in shown])
    chart.add("busy", [(round(at / 86_400, 3), busy) for at, _, busy, _ in shown])
    path.write_text(chart.render(is_unicode=True))
