"""Which names a file may have, and how the others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.exceptions import Refused
from storage.names import check_name

GOOD = [
    "a",
    "video 1.mp4",
    "Übung.txt",
    "文件",
    "a" * 255,
    "é" * 127,
    ".hidden",
    "a..b",
    "👩‍💻.png",
    "=cmd|x",
    "<b>.html",
    "100%",
]
BAD = {
    "": "needs a name",
    ".": "means a folder",
    "..": "means a folder",
    "a/b": "'/'",
    "../etc/passwd": "'/'",
    "a\\b": "'\\\\'",
    "a\0b": "U+0000",
    "a\nb": "U+000A",
    "a\x7fb": "U+007F",
    "photo\u202egpj.exe": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "a\u2066b": "U+2066",
    "a\u200fb": "U+200F RIGHT-TO-LEFT MARK",
    "a\u200bb": "U+200B ZERO WIDTH SPACE",
    "a\ufeffb": "U+FEFF",
    "a\u2028b": "U+2028",
    "a\ud800b": "U+D800",
    " a": "space",
    "a ": "space",
    "a" * 256: "256 bytes",
    "a" * 300: "300 bytes",
    "é" * 128: "256 bytes",
    "a" * 1_000_000: "1000000 bytes",
}


@pytest.mark.parametrize("name", GOOD)
def test_good_names_stay_as_they_are(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(("name", "said"), BAD.items(), ids=[ascii(name[:20]) for name in BAD])
def test_bad_names_are_refused_by_a_sentence(name: str, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_name(name)
    assert refusal.value.code == "bad_file_name"
    assert said in refusal.value.message


def test_names_that_look_the_same_are_the_same() -> None:
    assert check_name("U\u0308bung") == check_name("\u00dcbung") == "Übung"


@given(st.text(alphabet=st.characters(), max_size=300))
def test_an_accepted_name_is_harmless_whatever_was_typed(name: str) -> None:
    try:
        accepted = check_name(name)
    except Refused:
        return
    assert "/" not in accepted
    assert "\0" not in accepted
    assert 1 <= len(accepted.encode()) <= 255
    assert check_name(accepted) == accepted
