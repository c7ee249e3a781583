"""Draws places in archived documents for `gongkai serve`: in the jail, as reading is done, with what is drawn kept.

Whatever a document does to its reader, the answer is a page or one sentence. What was drawn lately is kept in memory up
to `MOST_KEPT_BYTES`; of a PDF or a picture its pages, so that all cells of a page cost one drawing.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import sha256
from typing import Generic, TypeVar

from archive.browse.places import Drawn, UndrawnError
from crawler import office
from crawler.jail import Failure, JailError, Limits, Pool, Runner
from parsers import places
from parsers.errors import UnreadableDocumentError
from parsers.model import PagePicture, ReadingError, Shown
from parsers.reading import Conversions

log = logging.getLogger(__name__)

# A page of a PDF takes a tenth of a second, a report of any other kind less.
LIMITS = Limits(cpu_seconds=20, wall_seconds=30.0, memory_bytes=1 << 30, output_bytes=80 << 20, documents=500)
WORKERS = 2
MOST_KEPT_BYTES = 48 << 20
_MOST_CONVERTED_BYTES = 32 << 20

T = TypeVar("T")
Answer = Shown | PagePicture | ReadingError | tuple[tuple[str, bytes], ...]


def draw(data: bytes, name: str, locator: str, converted: Conversions | None) -> Answer:
    """Runs in the jail: the place, or the documents that have to be converted first, or why there is neither."""
    try:
        return places.draw(data, name=name, locator=locator, converted=converted)
    except UnreadableDocumentError as error:
        if error.code == "needs_conversion" and converted is None:
            return office.convertible(data, name)
        return ReadingError(error.code, error.message)


class Places:
    """Draws for several threads. `runner`: where documents are read; without one, jails of its own, to be closed."""

    def __init__(self, runner: Runner | None = None) -> None:
        self._own: Pool | None = None
        if runner is None:
            runner = self._own = Pool(WORKERS, LIMITS)
        self._runner: Runner = runner
        self._kept: Kept[Shown | PagePicture] = Kept(MOST_KEPT_BYTES, _size)
        self._converted: Kept[bytes | ReadingError] = Kept(_MOST_CONVERTED_BYTES, _converted_size)
        self._converting = threading.Lock()

    def warm(self) -> None:
        """Starts the jails, so that nobody waits for them later. Returns at once."""
        for _ in range(self._runner.workers):
            self._runner.submit(draw, b"<p>", "", "", None)

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    def draw(self, body: bytes, *, digest: str, name: str, locator: str) -> Drawn:
        """As `archive.browse.places.Drawer` says."""
        document = digest or sha256(body).hexdigest()
        of_page, of_place = (document, name, places.without_box(locator)), (document, name, locator)
        found = self._kept.get(of_page) or self._kept.get(of_place)
        if found is None:
            found = self._drawn(body, name, locator)
            self._kept.put(of_page if isinstance(found, PagePicture) else of_place, found)
        shown = places.framed(found, locator) if isinstance(found, PagePicture) else found
        return Drawn(shown.how, shown.html.encode("utf-8", "replace"), shown.is_marked)

    def _drawn(self, body: bytes, name: str, locator: str) -> Shown | PagePicture:
        answer = self._answer(body, name, locator, None)
        if isinstance(answer, tuple):
            answer = self._answer(body, name, locator, self._conversions(answer))
        if isinstance(answer, ReadingError):
            raise UndrawnError(f"The document cannot be drawn ({answer.code}): {answer.message}.")
        if isinstance(answer, tuple):
            raise UndrawnError("The document cannot be drawn: it has to be converted again and again.")
        return answer

    def _answer(self, body: bytes, name: str, locator: str, converted: Conversions | None) -> Answer:
        try:
            answer = self._runner.submit(draw, body, name, locator, converted).result()
        except JailError as error:
            raise UndrawnError(f"The document cannot be drawn: {error}.") from error
        if isinstance(answer, Failure):
            log.warning("drawing %s of %s: %s: %s", locator, name, answer.code, answer.message)
            raise UndrawnError(f"The document cannot be drawn ({answer.code}): {answer.message}.")
        return answer

    def _conversions(self, files: tuple[tuple[str, bytes], ...]) -> Conversions:
        """What LibreOffice makes of them, one start at a time."""
        digests = {sha256(data).hexdigest(): (name, data) for name, data in files}
        with self._converting:
            missing = [digest for digest in digests if self._converted.get(digest) is None]
            made = office.conversions([digests[digest] for digest in missing]) if missing else {}
            for digest in missing:
                self._converted.put(digest, made[digests[digest][1]])
        known = {data: self._converted.get(digest) for digest, (_, data) in digests.items()}
        return {data: docx for data, docx in {**known, **made}.items() if docx is not None}


class Kept(Generic[T]):
    """What was made lately, by key, up to so many bytes; for several threads."""

    def __init__(self, most_bytes: int, size: Callable[[T], int]) -> None:
        self._most = most_bytes
        self._size = size
        self._lock = threading.Lock()
        self._items: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> T | None:
        with self._lock:
            if key not in self._items:
                return None
            self._items.move_to_end(key)
            return self._items[key]

    def put(self, key: Hashable, item: T) -> None:
        """Keeps it in place of what was asked for longest ago; not at all when it alone would fill a quarter."""
        with self._lock:
            if key in self._items or self._size(item) * 4 > self._most:
                return
            self._items[key] = item
            self._bytes += self._size(item)
            while self._bytes > self._most:
                _, oldest = self._items.popitem(last=False)
                self._bytes -= self._size(oldest)


def _size(item: Shown | PagePicture) -> int:
    # Chinese takes two bytes a character in memory.
    return len(item.encoded) if isinstance(item, PagePicture) else 2 * len(item.html)


def _converted_size(item: bytes | ReadingError) -> int:
    return len(item) if isinstance(item, bytes) else 1000
