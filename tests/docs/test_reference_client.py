"""The reference names everything that the client offers."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloud
from cloud._options import RESERVED
from cloud.cli.main import build_parser

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
CLIENT = (REFERENCE / "client.md").read_text()
COMMAND = (REFERENCE / "cli.md").read_text()


def commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, by its words."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                inner = list(commands(command, f"{before}{name} "))
                yield from inner or [(f"{before}{name}", command)]


@pytest.mark.parametrize("name", cloud.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    assert f"cloud.{name}" in CLIENT or f"'{name}'" in CLIENT


@pytest.mark.parametrize("name", cloud.files.__all__)
def test_every_file_function_is_in_the_reference(name: str) -> None:
    assert f"cloud.files.{name}(" in CLIENT


@pytest.mark.parametrize("name", cloud.cron.__all__)
def test_every_cron_function_is_in_the_reference(name: str) -> None:
    assert f"cloud.cron.{name}(" in CLIENT


@pytest.mark.parametrize("name", RESERVED)
def test_every_reserved_keyword_is_in_the_reference(name: str) -> None:
    assert f"| `{name}` |" in CLIENT


@pytest.mark.parametrize("name", sorted(name for name, _ in commands(build_parser())))
def test_every_command_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in COMMAND or f"`{name} " in COMMAND


def test_every_flag_is_in_the_reference() -> None:
    flags = {
        flag
        for _, command in [("", build_parser()), *commands(build_parser())]
        for action in command._actions
        for flag in action.option_strings
    }
    left_to_help = {"-h", "--help", "--ignore-errors", "--timeout", "--fields", "--follow"}
    assert sorted(flag for flag in flags - left_to_help if flag not in COMMAND) == []
