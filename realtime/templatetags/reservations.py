"""Words on pages about reserved cores."""

from django import template

from realtime.display.rows import BECAUSE
from realtime.states import EndReason

register = template.Library()


@register.filter
def reservation_act(name: str) -> str:
    """The name of an event in words: reservation.ready is "ready"."""
    return name.removeprefix("reservation.").replace("_", " ")


@register.filter
def reservation_detail(text: str) -> str:
    """The detail of an event; a reason for programs becomes words."""
    return BECAUSE[EndReason(text)] if text in EndReason.values else text
