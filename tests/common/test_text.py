"""Text of strangers, made fit to be looked at."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.text import make_visible, terminal_text

HARMLESS_CONTROLS = "\n\t"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\ntext\twith tabs", "plain\ntext\twith tabs"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;196mbright\x1b[K", "bright"),
        ("before\x1b]52;c;ZXZpbA==\x07after", "beforeafter"),  # would write to the clipboard
        ("\x1b]0;title\x1b\\text", "text"),
        (" 10 %\r 50 %\r100 %\n", "100 %\n"),
        ("windows\r\n", "windows\n"),
        ("bell\x07", "bell␇"),
        ("nul\x00", "nul␀"),
        ("a\x1b", "a␛"),
        ("gpj\u202eexe", "gpj⟨right-to-left override⟩exe"),
        ("\u200bhidden", "⟨zero width space⟩hidden"),
        ("ünï 漢字 🎬", "ünï 漢字 🎬"),
    ],
)
def test_output_reads_as_on_a_terminal_that_cannot_be_tricked(raw: str, shown: str) -> None:
    assert terminal_text(raw) == shown


@given(st.text())
def test_no_control_or_direction_character_is_left(text: str) -> None:
    shown = terminal_text(text)
    left = [c for c in shown if unicodedata.category(c) == "Cc" and c not in HARMLESS_CONTROLS]
    assert left == []
    assert not any(unicodedata.bidirectional(c) in ("LRO", "RLO", "LRE", "RLE", "PDF", "LRI", "RLI") for c in shown)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"])))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert make_visible(text) == text


@pytest.mark.parametrize("piece", ["\x1b]", "\x1b[", "\x1bP", "\r", "\x1b"])
def test_long_nonsense_takes_no_longer_than_its_length(piece: str) -> None:
    assert len(terminal_text(piece * 200_000)) <= len(piece) * 200_000
