"""The days of a month as stacked bars: drawn by pygal, coloured by our style sheet."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from billing.months import Month
from billing.selectors.months import Series
from common.money import format_dollars

WIDTH, HEIGHT = 900, 220
# As many as the style sheet has colours for; what has more series repeats them.
COLOURS = 8
# What pygal puts there for its own style and script, which our pages do not let in.
THEIRS = ("defs", "title", "tooltip-overlay", "text-overlay", "overlay", "titles")


@dataclass(frozen=True)
class Key:
    """An entry of the legend. `colour` is a number of the style sheet."""

    name: str
    colour: int
    amount: Decimal


@dataclass(frozen=True)
class Chart:
    """A drawing, and the same in a table. `rows` are days with an amount for each series, and their sum."""

    svg: str
    words: str
    legend: list[Key]
    rows: list[tuple[date, list[Decimal], Decimal]]


def chart_of(series: Sequence[Series], month: Month) -> Chart | None:
    """The chart of a month. None when nothing was charged in it."""
    if not any(charge for one in series for charge in one.charges):
        return None
    legend = [Key(one.name, number % COLOURS, sum(one.amounts, Decimal(0))) for number, one in enumerate(series)]
    columns = [one.amounts for one in series]
    rows = [(day, list(amounts), sum(amounts, Decimal(0))) for day, *amounts in zip(month.days, *columns, strict=True)]
    whole = sum((key.amount for key in legend), Decimal(0))
    words = f"Used by day in {month.words}, {format_dollars(whole)} in all"
    return Chart(_draw(series, month, words), words, legend, [row for row in rows if any(row[1])])


def _draw(series: Sequence[Series], month: Month, words: str) -> str:
    drawing = _pygal().StackedBar(
        width=WIDTH,
        height=HEIGHT,
        margin=2,
        spacing=3,
        css=[],
        js=[],
        disable_xml_declaration=True,
        show_legend=False,
        max_scale=5,
        no_prefix=True,
        value_formatter=_axis_words,
    )
    drawing.x_labels = [str(day.day) for day in month.days]
    for one in series:
        days = zip(month.days, one.amounts, strict=True)
        drawing.add(one.name, [_bar(one.name, day, amount) if amount else None for day, amount in days])
    drawing.add_xml_filter(lambda root: _as_ours(root, words))
    return str(drawing.render(is_unicode=True))


def _pygal() -> Any:
    # A quarter of a second that only a process that draws need spend.
    import pygal  # noqa: PLC0415

    # For its plugins, of which we have none, it looks into each import of the process, in a way that Python gave up.
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]
    return pygal


def _bar(name: str, day: date, amount: Decimal) -> dict[str, object]:
    return {"value": float(amount), "label": f"{day:%a %-d %b}: {name} {format_dollars(amount)}"}


def _axis_words(value: float) -> str:
    # The scale is made of floats: 0.30000000000000004.
    return format_dollars(Decimal(f"{value:.6g}"))


def _as_ours(root: Element, words: str) -> Element:
    """pygal's drawing without its style, script and empty bars; with words for who cannot see it, and on hover."""
    root.attrib.pop("id", None)
    root.set("role", "img")
    root.set("aria-label", words)
    root.set("class", "month-chart")
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == "title" or _is_theirs(child):
                parent.remove(child)
    for bar in root.iter("g"):
        if bar.get("class") == "bar":
            _say(bar)
    return root


def _is_theirs(part: Element) -> bool:
    kinds = (part.get("class") or "").split()
    return part.tag in THEIRS or any(kind in THEIRS for kind in kinds) or "background" in kinds


def _say(bar: Element) -> None:
    """The label of a bar as its title; a bar of nothing goes."""
    label = next((part.text for part in bar if part.tag == "desc" and part.get("class") == "label"), None)
    for part in list(bar):
        if part.tag == "desc" or label is None:
            bar.remove(part)
    if label is not None:
        title = SubElement(bar, "title")
        title.text = label
