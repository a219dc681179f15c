"""A picture is drawn once for all who ask, and who would wait too long is refused at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.base.file_cache import FileCache
from server.base.web.drawings import Drawing, Drawings, PictureBusy

FOR_EVER = 60.0


class Studio:
    """A drawing that is not done before the test says so."""

    def __init__(self, folder: Path) -> None:
        self.cache = FileCache(folder, most_bytes=10**6, keep_seconds=3600)
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.drawn: list[str] = []

    def drawings(self, *, most_waiting: int = 4, patience_seconds: float = FOR_EVER) -> Drawings:
        return Drawings(self.cache, most_waiting=most_waiting, patience_seconds=patience_seconds)

    def drawing(self, name: str) -> Drawing:
        def draw() -> bytes:
            self.begun.release()
            assert self.go_on.wait(FOR_EVER)
            self.drawn.append(name)
            return name.encode()

        return Drawing(content_name=name, draw=draw, keep_seconds=1)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path)
    yield made
    made.go_on.set()


def test_many_who_ask_for_one_picture_wait_for_one_drawing(studio: Studio) -> None:
    drawings = studio.drawings(most_waiting=8)
    with ThreadPoolExecutor(8) as readers:
        asked = [readers.submit(drawings.get_picture, studio.drawing("a")) for _ in range(8)]
        assert studio.begun.acquire(timeout=FOR_EVER)
        studio.go_on.set()
        assert {one.result() for one in asked} == {b"a"}
    assert studio.drawn == ["a"]
    assert drawings.get_picture(studio.drawing("a")) == b"a"
    assert studio.drawn == ["a"]


def test_who_finds_no_place_to_wait_is_refused_at_once(studio: Studio) -> None:
    drawings = studio.drawings(most_waiting=2)
    with ThreadPoolExecutor(2) as readers:
        waiting = [readers.submit(drawings.get_picture, studio.drawing(name)) for name in "ab"]
        assert studio.begun.acquire(timeout=FOR_EVER)
        while drawings._places._value:  # until the second waits too
            pass
        with pytest.raises(PictureBusy) as refusal:
            drawings.get_picture(studio.drawing("c"))
        assert refusal.value.retry_after_seconds > 0
        studio.go_on.set()
        assert [one.result() for one in waiting] == [b"a", b"b"]
    assert drawings.get_picture(studio.drawing("c")) == b"c"


def test_a_kept_picture_needs_no_place(studio: Studio) -> None:
    drawings = studio.drawings(most_waiting=1)
    studio.cache.put_content("kept", b"kept")
    with ThreadPoolExecutor(1) as readers:
        waiting = readers.submit(drawings.get_picture, studio.drawing("a"))
        assert studio.begun.acquire(timeout=FOR_EVER)
        assert drawings.get_picture(studio.drawing("kept")) == b"kept"
        studio.go_on.set()
        assert waiting.result() == b"a"


def test_what_took_too_long_is_there_for_the_next_who_asks(studio: Studio) -> None:
    drawings = studio.drawings(patience_seconds=0.0)
    with pytest.raises(PictureBusy):
        drawings.get_picture(studio.drawing("a"))
    studio.go_on.set()
    drawings._pool.submit(lambda: None).result()  # after the drawing
    assert drawings.get_picture(studio.drawing("a")) == b"a"
    assert studio.drawn == ["a"]


def test_a_drawing_that_fails_is_told_and_tried_again(studio: Studio) -> None:
    drawings = studio.drawings(most_waiting=1)

    def fails() -> bytes:
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            drawings.get_picture(Drawing(content_name="a", draw=fails, keep_seconds=1))
    studio.go_on.set()
    assert drawings.get_picture(studio.drawing("a")) == b"a"
