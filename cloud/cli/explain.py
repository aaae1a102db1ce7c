"""picloud explain: what would travel with a function of a module."""

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloud.cli._output import print_json, write
from cloud.cli._parsing import Commands, Refused, add


def add_commands(commands: Commands) -> None:
    """The command of this file."""
    text = "a function by its module, such as bot:tweet or shop.prices:total"
    add(commands, "explain", explain).add_argument("function", metavar="MODULE:FUNCTION", help=text)


def explain(options: argparse.Namespace) -> None:
    """Print which modules would travel with a function, why, and which cannot; nothing is sent."""
    # It takes more to import than the other commands need.
    from cloud._dependencies.explain import report_on, text_of  # noqa: PLC0415

    report = report_on(named_function(options.function))
    if options.output == "json":
        print_json(report)
    else:
        write(text_of(report))


def named_function(text: str) -> Callable[..., Any]:
    """The function that MODULE:FUNCTION names, imported from the current directory or from where Python looks."""
    module_name, colon, path = text.partition(":")
    if not (colon and module_name and path):
        raise Refused(f"{text!r} names no function: write MODULE:FUNCTION, such as bot:tweet.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except ImportError as problem:
        raise Refused(f"Module {module_name} cannot be imported here: {problem}.") from problem
    for name in path.split("."):
        if not hasattr(found, name):
            raise Refused(f"Module {module_name} has no function {path}.")
        found = getattr(found, name)
    if not callable(found):
        raise Refused(f"{text} is no function but a {type(found).__name__}.")
    function: Callable[..., Any] = found
    return function
