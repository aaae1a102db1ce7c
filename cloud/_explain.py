"""cloud.explain: what would travel with a function, before anything does."""

import sys
from collections.abc import Callable
from typing import Any


def explain(func: Callable[..., Any]) -> dict[str, Any]:
    """Print what would travel with the function to where it runs, and return it as data. Nothing is sent.

    Of each module or distribution: why (the imports that lead to it), from where, how many bytes, and what is there
    already; then what cannot travel, and which imports cannot be followed.
    """
    # It takes more to import than most programs ever need.
    from cloud._dependencies.explain import report_on, text_of  # noqa: PLC0415

    if not callable(func):
        raise TypeError(f"cloud.explain takes a function, not {func!r}.")
    report = report_on(func)
    sys.stdout.write(text_of(report) + "\n")
    return report
