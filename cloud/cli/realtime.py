"""picloud realtime: cores that stand ready for one account alone."""

import argparse

import cloud
from cloud.cli._output import print_fields, print_rows
from cloud.cli._parsing import Commands, Parser, add, add_group

_COLUMNS = ("request_id", "type", "cores", "state", "start_time", "max_hours", "busy_cores", "used", "paid", "note")
_WINDOW_COLUMNS = ("window_id", "type", "cores", "words", "next")


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    verbs = add_group(commands, "realtime", "Reserve cores that stand ready for you alone.")
    parser = add(verbs, "request", request)
    parser.add_argument("-m", "--max-duration", type=int, metavar="HOURS", help="end after so many hours")
    parser.add_argument("-w", "--wait", action="store_true", help="return when the cores stand ready")
    _with_cores(parser)
    add(verbs, "list", list_requests).add_argument("request_id", nargs="?", metavar="REQUEST_ID", help="only this one")
    _with_request(add(verbs, "release", release))
    parser = _with_request(add(verbs, "change-max-duration", change_max_duration))
    parser.add_argument("hours", type=int, nargs="?", metavar="HOURS", help="without it: until it is released")
    _add_windows(verbs)


def _add_windows(verbs: Commands) -> None:
    add(verbs, "windows", list_windows)
    parser = _with_cores(add(verbs, "add-window", add_window))
    parser.add_argument("weekdays", metavar="DAYS", help="as mon-fri, or sat,sun")
    parser.add_argument("begins", metavar="FROM", help="time of day, as 09:00")
    parser.add_argument("ends", metavar="TO", help="time of day; on the next day when it is not after FROM")
    parser.add_argument("-z", "--timezone", default="UTC", metavar="ZONE", help="whose clock, as Europe/Berlin (UTC)")
    parser = add(verbs, "remove-window", remove_window)
    parser.add_argument("window_id", metavar="WINDOW_ID", help="number of the window")


def _with_cores(parser: Parser) -> Parser:
    parser.add_argument("type", metavar="TYPE", help="core type, such as c1")
    parser.add_argument("cores", type=int, metavar="CORES", help="how many")
    return parser


def _with_request(parser: Parser) -> Parser:
    parser.add_argument("request_id", metavar="REQUEST_ID", help="number of the request")
    return parser


def request(options: argparse.Namespace) -> None:
    """Reserve cores; print the request."""
    found = cloud.realtime.request(options.type, options.cores, options.max_duration)
    if options.wait:
        found = cloud.realtime.wait(found["request_id"])
    print_fields(found, style=options.output)


def list_requests(options: argparse.Namespace) -> None:
    """List the requests that have not ended, or one of them."""
    print_rows(cloud.realtime.list(options.request_id or ""), _COLUMNS, style=options.output)


def release(options: argparse.Namespace) -> None:
    """Give the cores of a request back."""
    cloud.realtime.release(options.request_id)


def change_max_duration(options: argparse.Namespace) -> None:
    """Change after how many hours a request ends by itself."""
    cloud.realtime.change_max_duration(options.request_id, options.hours)


def list_windows(options: argparse.Namespace) -> None:
    """List the windows that reserve cores in the same hours of every week."""
    print_rows(cloud.realtime.windows(), _WINDOW_COLUMNS, style=options.output)


def add_window(options: argparse.Namespace) -> None:
    """Reserve cores in the same hours of every week; print the window."""
    found = cloud.realtime.add_window(
        options.type, options.cores, options.weekdays, options.begins, options.ends, timezone=options.timezone
    )
    print_fields(found, style=options.output)


def remove_window(options: argparse.Namespace) -> None:
    """Reserve no more cores by a window."""
    cloud.realtime.remove_window(options.window_id)
