"""Emptying a directory, whatever is in it."""

from pathlib import Path

from worker.inside.scratch import empty_directory


def test_everything_goes_and_the_directory_stays(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/c/file").touch()
    (tmp_path / "a/b").chmod(0)
    (tmp_path / "e").mkdir()
    empty_directory(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for path in (outside, inside):
        path.mkdir()
    (outside / "precious").touch()
    (inside / "link").symlink_to(outside)
    empty_directory(str(inside))
    assert ((outside / "precious").exists(), list(inside.iterdir())) == (True, [])


def test_directory_that_a_job_removed_is_made_again(tmp_path: Path) -> None:
    empty_directory(str(tmp_path / "gone"))
    assert (tmp_path / "gone").is_dir()
