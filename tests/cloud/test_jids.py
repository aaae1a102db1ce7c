"""Job ids on command lines and on the wire."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud import _jids


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_each_id_once(jids: set[int]) -> None:
    ranges = _jids.to_ranges(jids)
    assert _jids.from_ranges(ranges) == sorted(jids)
    assert _jids.count(ranges) == len(jids)


@given(st.sets(st.integers(1, 60), min_size=1))
def test_text_is_read_as_it_is_written(jids: set[int]) -> None:
    assert _jids.parse(_jids.write(_jids.to_ranges(jids))) == sorted(jids)


@given(st.sets(st.integers(1, 60)), st.integers(0, 70))
def test_the_first_so_many(jids: set[int], most: int) -> None:
    assert _jids.from_ranges(_jids.first_of(_jids.to_ranges(jids), most)) == sorted(jids)[:most]


def test_without_some() -> None:
    assert _jids.without([[1, 5], [8, 8]], [1, 3, 8]) == [[2, 2], [4, 5]]


@pytest.mark.parametrize("text", ["", "a", "1-", "-3", "1,,2", "5-2", "1.5", "1 2"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write"):
        _jids.parse(text)


@pytest.mark.parametrize("jids", ["12", b"1", None, 1.5, [True], ["1"]])
def test_what_is_no_id_is_refused(jids: Any) -> None:
    with pytest.raises(TypeError, match="not a job id"):
        _jids.as_sequence(jids)


def test_ids_of_numpy_are_ids() -> None:
    numpy = pytest.importorskip("numpy")
    assert _jids.as_sequence(numpy.arange(1, 4)) == [1, 2, 3]
    assert _jids.is_single(numpy.int64(3))
