"""Which names a file may have."""

import unicodedata

from common.exceptions import Refused

MAX_NAME_BYTES = 255
# Invisible, but part of how Persian, Indic scripts and emoji are written.
JOINERS = "\u200c\u200d"
# Controls, lone surrogates, line and paragraph separators, and marks that turn or hide what is read.
BAD_CATEGORIES = ("Cc", "Cs", "Zl", "Zp", "Cf")


def check_name(name: str) -> str:
    """The name in Unicode's composed form (NFC): names that look the same are the same file, whatever typed them.

    Raises Refused, naming what is wrong.
    """
    # Anything this long is too long, and not looked at letter by letter.
    for character in name[: 4 * MAX_NAME_BYTES]:
        _check_character(character)
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise _bad("A file needs a name.")
    if name in (".", ".."):
        raise _bad(f"{name!r} cannot be a file's name: it means a folder.")
    if name != name.strip():
        raise _bad("A file's name must not begin or end with a space.")
    length = len(name.encode(errors="replace"))
    if length > MAX_NAME_BYTES:
        raise _bad(f"The file's name is too long: {length} bytes in UTF-8, and {MAX_NAME_BYTES} are allowed.")
    return name


def _check_character(character: str) -> None:
    if character in "/\\":
        raise _bad(f"A file's name must not hold {character!r}: there are no folders in cloud.files.")
    if unicodedata.category(character) in BAD_CATEGORIES and character not in JOINERS:
        label = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
        raise _bad(f"A file's name must not hold the invisible character {label}.")


def _bad(sentence: str) -> Refused:
    return Refused("bad_file_name", sentence)
