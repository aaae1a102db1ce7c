"""What people ask of the ledger, as it stands in an address, turned into values or into a refusal."""

from collections.abc import Mapping
from datetime import datetime

from billing.models import Kind
from billing.models.ledger import NAMES
from billing.months import Month, month_of, parse_month
from common.exceptions import Refused
from jobs.forms import number_of

NUMBERS = ("api_key", "reservation")
MAX_TEXT = 401


def asked_month(query: Mapping[str, str], now: datetime) -> Month:
    """The month that an address names, else the present one. Raises Refused."""
    return parse_month(query["month"]) if query.get("month") else month_of(now)


def asked_names(query: Mapping[str, str]) -> dict[str, object]:
    """The names that lines are to have. One that is there and empty asks for lines without it. Raises Refused."""
    return {name: _value(name, query[name]) for name in NAMES if name in query}


def _value(name: str, text: str) -> object:
    if name in NUMBERS:
        return number_of(text, name=name) if text else None
    if name == "kind" and text not in Kind:
        raise Refused("bad_filter", f"kind is one of {', '.join(Kind)}, not {text[:40]!r}.")
    if len(text) > MAX_TEXT or "\0" in text:
        raise Refused("bad_filter", f"{name} has characters, or more of them, than any has.")
    return text
