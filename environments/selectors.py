"""Reads of environments."""

from common.exceptions import NotFound
from environments.models import Environment

BASE = "base"


def environment_for(*, name: str = BASE) -> Environment:
    """The environment of that name."""
    found = Environment.objects.filter(name=name).first()
    if found is None:
        names = ", ".join(Environment.objects.values_list("name", flat=True)) or "none yet"
        raise NotFound("environment_unknown", f"There is no environment {name!r}. There are: {names}.")
    return found
