"""What is kept as files is bounded, whole, and never needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from server.base.file_cache import FileCache

HOUR = 3600.0


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "kept", most_bytes=10_000, keep_seconds=HOUR)


def files(cache: FileCache) -> list[Path]:
    return sorted(cache._folder.glob("*"))


def grow_old(path: Path, seconds: float) -> None:
    at = path.stat().st_mtime - seconds
    os.utime(path, (at, at))


def test_what_is_kept_is_found_by_its_name_alone(cache: FileCache) -> None:
    assert cache.get_content("a") is None
    cache.put_content("a", b"first")
    cache.put_content("../../b", b"second")
    assert (cache.get_content("a"), cache.get_content("../../b"), cache.get_content("c")) == (
        b"first",
        b"second",
        None,
    )
    assert {path.parent for path in files(cache)} == {cache._folder}
    assert {path.stat().st_mode & 0o777 for path in files(cache)} == {0o600}
    assert cache._folder.stat().st_mode & 0o777 == 0o700


def test_half_a_file_is_not_there(cache: FileCache) -> None:
    cache.put_content("a", b"x" * 100)
    (path,) = files(cache)
    whole = path.read_bytes()
    for broken in (b"", whole[:20], whole[:-1], whole[:-1] + b"y"):
        path.write_bytes(broken)
        assert cache.get_content("a") is None
    path.write_bytes(whole)
    assert cache.get_content("a") == b"x" * 100


def test_what_is_too_old_is_not_there_and_is_deleted(cache: FileCache) -> None:
    cache.put_content("a", b"old")
    grow_old(files(cache)[0], HOUR)
    cache.put_content("b", b"new")
    assert (cache.get_content("a"), cache.get_content("b")) == (None, b"new")
    assert cache.trim_files() == 1
    assert len(files(cache)) == 1
    cache.put_content("a", b"made again")
    assert cache.get_content("a") == b"made again"


def test_beyond_the_bound_the_oldest_go(cache: FileCache) -> None:
    for number in range(15):
        cache.put_content(str(number), b"x" * 968)
        grow_old(cache._path_of(str(number)), 100 - number)
    assert cache.trim_files() == 5
    assert [number for number in range(15) if cache.get_content(str(number))] == list(range(5, 15))


def test_writing_keeps_to_the_bound_without_a_sweep(cache: FileCache) -> None:
    for number in range(200):
        cache.put_content(str(number), b"x" * 968)
    assert len(files(cache)) <= 10 + 32


def test_a_disk_that_takes_nothing_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    cache = FileCache(tmp_path / "kept", most_bytes=1, keep_seconds=HOUR)
    cache.put_content("a", b"x")
    assert (cache.get_content("a"), cache.trim_files()) == (None, 0)
