"""Text that strangers wrote, made fit to be looked at."""

import re
import unicodedata

# CSI, OSC (to BEL or ST), other string sequences, and two-character escapes of ECMA-48.
ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x1b]{0,4096}\x1b\\"
    r"|\x1b[ -/]*[0-~]"
)
# What can make a line read as something else: controls, and marks that turn or hide text.
TRICKY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
CONTROL_PICTURES = 0x2400


def _shown(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    if code == 0x7F:
        return "␡"
    name = unicodedata.name(character, "")
    return f"⟨{name.lower() or f'u+{code:04x}'}⟩"


def make_visible(text: str) -> str:
    """The text with control and direction characters written out, so that nothing hides or turns."""
    return TRICKY.sub(_shown, text)


def _last_version(line: str) -> str:
    """What a terminal would show of a line that was written over with carriage returns."""
    parts = [part for part in line.split("\r") if part]
    return parts[-1] if parts else ""


def terminal_text(text: str) -> str:
    """Program output as plain text: colours dropped, progress bars settled, tricky characters visible."""
    without_colours = ANSI.sub("", text)
    lines = (_last_version(line) if "\r" in line else line for line in without_colours.split("\n"))
    return make_visible("\n".join(lines))
