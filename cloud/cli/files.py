"""picloud files: the files kept by the service."""

import argparse
from datetime import datetime
from pathlib import Path

import cloud
from cloud import _client
from cloud.cli._output import print_json, print_rows, write
from cloud.cli._parsing import Commands, Parser, Refused, add, add_group, add_yes, confirm


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    verbs = add_group(commands, "files", "Store files on the service, fetch them, list and delete them.")
    parser = add(verbs, "put", put)
    parser.add_argument("source", metavar="FILE", help="path of the file")
    parser.add_argument("name", metavar="NAME", nargs="?", help="name to store it under; its own by default")
    parser = _with_name(add(verbs, "get", get))
    parser.add_argument("destination", metavar="FILE", nargs="?", help="path to write; NAME here by default")
    add(verbs, "list", list_files)
    parser = add(verbs, "delete", delete)
    parser.add_argument("names", metavar="NAME", nargs="+", help="names of stored files")
    add_yes(parser)
    _with_name(add(verbs, "exists", exists))
    _with_name(add(verbs, "get-md5", get_md5))
    parser = add(verbs, "sync-to-cloud", sync_to_cloud)
    parser.add_argument("source", metavar="FILE", help="path of the file")
    parser.add_argument("name", metavar="NAME", nargs="?", help="name to store it under; its own by default")
    parser = _with_name(add(verbs, "sync-from-cloud", sync_from_cloud))
    parser.add_argument("destination", metavar="FILE", nargs="?", help="path to write; NAME here by default")


def _with_name(parser: Parser) -> Parser:
    parser.add_argument("name", metavar="NAME", help="name of the stored file")
    return parser


def put(options: argparse.Namespace) -> None:
    """Store a file; an older one of the same name is replaced."""
    cloud.files.put(_readable(options.source), options.name)


def get(options: argparse.Namespace) -> None:
    """Fetch a stored file."""
    cloud.files.get(options.name, options.destination)


def list_files(options: argparse.Namespace) -> None:
    """List the stored files."""
    rows = _client.request_json("GET", "/api/v1/files")["files"]
    if options.output != "json":
        rows = [{**row, "modified": datetime.fromisoformat(row["modified"])} for row in rows]
    print_rows(rows, ("name", "size", "modified", "md5"), style=options.output)


def delete(options: argparse.Namespace) -> None:
    """Remove stored files."""
    confirm(f"This removes {', '.join(options.names)} for good.", yes=options.yes)
    for name in options.names:
        cloud.files.delete(name)


def exists(options: argparse.Namespace) -> None:
    """Say whether a file is stored: `true` or `false`."""
    print_json(cloud.files.exists(options.name))


def get_md5(options: argparse.Namespace) -> None:
    """Print the MD5 of a stored file."""
    digest = cloud.files.get_md5(options.name)
    if options.output == "json":
        print_json(digest)
    else:
        write(digest)


def sync_to_cloud(options: argparse.Namespace) -> None:
    """Store a file unless the same bytes are stored already."""
    cloud.files.sync_to_cloud(_readable(options.source), options.name)


def sync_from_cloud(options: argparse.Namespace) -> None:
    """Fetch a stored file unless the same bytes are here already."""
    cloud.files.sync_from_cloud(options.name, options.destination)


def _readable(source: str) -> Path:
    path = Path(source)
    if not path.is_file():
        raise Refused(f"{source} is no file that can be read.")
    return path
