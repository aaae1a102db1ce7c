"""picloud estimate: what runs of a function would take and cost."""

import argparse

from cloud._estimate import ask
from cloud._options import take_reserved
from cloud.cli._output import print_json, write
from cloud.cli._parsing import Commands, add
from cloud.cli.explain import named_function


def add_commands(commands: Commands) -> None:
    """The command of this file."""
    parser = add(commands, "estimate", estimate)
    text = "a function by its module, such as bot:tweet or shop.prices:total"
    parser.add_argument("function", metavar="MODULE:FUNCTION", help=text)
    parser.add_argument("-n", "--count", type=int, default=1, help="how many runs of it (1)")
    parser.add_argument("-t", "--type", default="c1", help="core type (c1)")
    parser.add_argument("-c", "--cores", type=int, default=1, help="cores on one machine (1)")


def estimate(options: argparse.Namespace) -> None:
    """Print what runs of a function are expected to take and to cost; nothing is submitted."""
    reserved, _ = take_reserved({"_type": options.type, "_cores": options.cores})
    answer = ask(named_function(options.function), reserved, count=options.count)
    if options.output == "json":
        print_json(answer)
    else:
        write(answer["words"])
