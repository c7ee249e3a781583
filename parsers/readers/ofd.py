"""OFD (GB/T 33190): the XML of its pages to characters and ruled lines, of which `page_blocks` makes the rest.

Producers differ in namespaces and in whether paths are absolute, so elements go by their local names. Millimetres
become points; y grows downwards in OFD as in our locators.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import accumulate, pairwise, takewhile
from typing import TYPE_CHECKING

from lxml import etree

from parsers.errors import UnreadableDocumentError
from parsers.model import Document, Finding
from parsers.readers import ofd_pictures, page_blocks, scan_pages
from parsers.readers.ofd_pictures import Placed
from parsers.readers.ooxml import Package
from parsers.readers.page_content import Characters, PageContent
from parsers.readers.pdf_grid import Line
from parsers.readers.scan_pages import Scans
from parsers.readers.white import LEAST_WHITE
from parsers.sniff import OFD

if TYPE_CHECKING:
    from PIL import Image

    from parsers.readers.scan_ink import Picture

MAX_PAGES = 2000
MAX_CHARACTERS = 3_000_000
MAX_PATHS = 60_000
_MAX_DEPTH = 16
_MAX_POINTS = 10_000

_POINTS = 72 / 25.4
_A4 = (0.0, 0.0, 210.0, 297.0)
# Where a font's box stands about the baseline, in units of its size; OFD gives baselines only.
_ASCENT, _DESCENT = 0.86, 0.14
_MAX_THICKNESS = 4.5 / _POINTS
_MIN_LENGTH = 1.0 / _POINTS
_AXIS_TOLERANCE = 1.0 / _POINTS
_SCAN_COVERS = 0.5
# Cells' grounds are painted one by one; more boxes over text no page has.
_MOST_PAINTED = 2000
# Millimetres; what is drawn farther out, or nowhere (not a number), is on no page.
_FAR = 100_000.0
_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# How many numbers follow each letter of AbbreviatedData; the last two are the point reached.
_OPERANDS = {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}

_Matrix = tuple[float, float, float, float, float, float]
_Point = tuple[float, float]
_Box = tuple[float, float, float, float]
_IDENTITY: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def read(data: bytes) -> Document:
    """Read an OFD. A page that is an image is recognised; where it cannot be, it gives the finding `no_text_layer`.

    Raises UnreadableDocumentError: `damaged`, `encrypted`, `bomb`, `empty` (no page), `too_large`, `too_complex`.
    """
    reader, body, findings = _opened(data)
    metadata = _metadata(body)
    pages = [page_blocks.taken_apart(content, findings) for content in reader.pages(findings)]
    if not pages:
        raise UnreadableDocumentError("damaged", "none of the OFD's pages can be read")
    return Document(
        media_type=OFD,
        blocks=page_blocks.blocks(pages),
        title=metadata.get("Title", ""),
        metadata=metadata,
        findings=tuple(findings),
    )


def scanned_page(data: bytes, number: int) -> tuple[Image.Image, float, float] | None:
    """Page `number` (from 1) in colour, and its width and height in points; None where it is no scan.

    Raises UnreadableDocumentError as `read` does, and `no_page`.
    """
    reader, _, _ = _opened(data)
    listed = reader.listed()
    if not 1 <= number <= len(listed):
        raise UnreadableDocumentError("no_page", f"the OFD has {len(listed)} pages, expected one numbered {number}")
    drawing = reader.drawing(listed[number - 1])
    content = drawing.content(number)
    picture = reader.picture(drawing) if scan_pages.may_be_scan(content) else None
    return None if picture is None else (picture, content.width, content.height)


def _opened(data: bytes) -> tuple[_Reader, etree._Element, list[Finding]]:
    """The first document of a package, and what is said of it."""
    package = Package(data)
    if package.has("Encryptions.xml"):
        raise UnreadableDocumentError("encrypted", "the OFD package is encrypted")
    entry = _tree(package, "OFD.xml")
    bodies = list(_children(entry, "DocBody"))
    root = _text(bodies[0], "DocRoot") if bodies else ""
    if not root:
        raise UnreadableDocumentError("damaged", "OFD.xml names no document (DocBody/DocRoot)")
    findings = []
    if len(bodies) > 1:
        findings.append(Finding("further_documents", f"the OFD holds {len(bodies)} documents; the first was read"))
    return _Reader(package, _resolved("", root)), bodies[0], findings


def _tree(package: Package, path: str) -> etree._Element:
    root = package.tree(path)
    if root is None:
        raise UnreadableDocumentError("damaged", f"the OFD package has no {path}")
    return root


def _children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    for child in element if element is not None else ():
        if _local(child) == name:
            yield child


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    return next(_children(element, name), None)


def _local(element: etree._Element) -> str:
    return _local_name(element.tag)


@lru_cache(maxsize=1024)
def _local_name(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _text(element: etree._Element | None, name: str) -> str:
    child = _child(element, name)
    return (child.text or "").strip() if child is not None else ""


def _metadata(body: etree._Element) -> dict[str, str]:
    info = _child(body, "DocInfo")
    found = {_local(child): (child.text or "").strip() for child in info if len(child) == 0} if info is not None else {}
    return {name: value for name, value in found.items() if name and value}


def _resolved(folder: str, path: str) -> str:
    """A package path: from the root where it begins with a slash, else from the folder of the file that names it."""
    path = path.replace("\\", "/")
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def _numbers(text: str | None) -> list[float]:
    """Numbers separated by blanks; what is no finite number ends the list."""
    words = (text or "").split()
    try:
        found = [float(word) for word in words]
    except ValueError:
        found = list(_leading_numbers(words))
    return found if math.isfinite(sum(found)) else list(takewhile(math.isfinite, found))


def _leading_numbers(words: list[str]) -> Iterator[float]:
    for word in words:
        try:
            yield float(word)
        except ValueError:
            return


@lru_cache(maxsize=4096)
def _number(text: str | None, default: float) -> float:
    found = _numbers(text)
    return found[0] if found else default


def _box_of(text: str | None) -> _Box | None:
    found = _numbers(text)
    return (found[0], found[1], found[2], found[3]) if len(found) == 4 and found[2] > 0 and found[3] > 0 else None


def _matrix_of(text: str | None) -> _Matrix:
    found = _numbers(text)
    return (found[0], found[1], found[2], found[3], found[4], found[5]) if len(found) == 6 else _IDENTITY


class _Reader:
    """One document of a package: its pages and the templates they stand on, each read once."""

    def __init__(self, package: Package, path: str) -> None:
        self._package = package
        self._folder = posixpath.dirname(path)
        self._document = _tree(package, path)
        common = _child(self._document, "CommonData")
        area = _child(common, "PageArea")
        self._box = _box_of(_text(area, "PhysicalBox")) or _A4
        self._template_paths = {
            template.get("ID", ""): _resolved(self._folder, template.get("BaseLoc", ""))
            for template in _children(common, "TemplatePage")
        }
        self._templates: dict[str, etree._Element] = {}
        self._scans = Scans()

    def listed(self) -> list[etree._Element]:
        """Raises UnreadableDocumentError: `empty`, `too_large`."""
        listed = list(_children(_child(self._document, "Pages"), "Page"))
        if not listed:
            raise UnreadableDocumentError("empty", "the OFD has no page")
        if len(listed) > MAX_PAGES:
            raise UnreadableDocumentError("too_large", f"the OFD has more than {MAX_PAGES} pages")
        return listed

    def pages(self, findings: list[Finding]) -> Iterator[PageContent]:
        characters = 0
        for number, page in enumerate(self.listed(), 1):
            at = f"page={number}"
            try:
                drawing = self.drawing(page)
                content = self._scans.read(drawing.content(number), partial(self._seen, drawing), findings)
            except UnreadableDocumentError as error:
                if error.code != "damaged":
                    raise
                findings.append(Finding("unreadable_page", f"page {number} cannot be read: {error.message}", at))
                continue
            characters += len(content.characters)
            if characters > MAX_CHARACTERS:
                raise UnreadableDocumentError("too_complex", f"the OFD holds more than {MAX_CHARACTERS} characters")
            findings.extend(page_blocks.text_findings(content))
            if drawing.hidden and not content.is_scan_with_ocr:
                findings.append(Finding("hidden_text", f"{drawing.hidden} texts that are not shown were left out", at))
            if drawing.unread:
                findings.append(Finding("composite_object", f"{drawing.unread} composite objects were not read", at))
            if content.too_many_paths:
                findings.append(Finding("too_many_paths", f"page {number} draws more than {MAX_PATHS} paths", at))
            yield content

    def drawing(self, page: etree._Element) -> _Drawing:
        """What a page and its templates draw."""
        path = _resolved(self._folder, page.get("BaseLoc", ""))
        root = _tree(self._package, path)
        box = _box_of(_text(_child(root, "Area"), "PhysicalBox")) or self._box
        drawing = _Drawing(box, _resolved(posixpath.dirname(path), _text(root, "PageRes")))
        for template in _children(root, "Template"):
            if (below := self._template(template.get("TemplateID", ""))) is not None:
                drawing.take_page(below)
        drawing.take_page(root)
        return drawing

    def _seen(self, drawing: _Drawing) -> tuple[Picture, float] | None:
        """A page's pictures as they are recognised: their red channel, and how many of its points are one of A4's."""
        import numpy as np

        picture = self.picture(drawing)
        if picture is None:
            return None
        _, _, width, height = drawing.box
        return np.ascontiguousarray(np.asarray(picture)[:, :, 0]), scan_pages.unit(max(width, height) * _POINTS)

    def picture(self, drawing: _Drawing) -> Image.Image | None:
        """The pictures of a page in colour, None where one is not upright or cannot be decoded."""
        if drawing.is_oblique:
            return None
        common = _child(self._document, "CommonData")
        listed = [_resolved(self._folder, _text(common, name)) for name in ("PublicRes", "DocumentRes")]
        paths = {name: place for one in (*listed, drawing.resources) for name, place in self._resources(one)}
        _, _, width, height = drawing.box
        return ofd_pictures.on_paper(self._package, paths, drawing.pictures, (width * _POINTS, height * _POINTS))

    def _resources(self, path: str) -> Iterator[tuple[str, str]]:
        """Names of pictures and where they lie, as a file of resources lists them."""
        root = self._package.tree(path) if self._package.has(path) else None
        folder = posixpath.join(posixpath.dirname(path), root.get("BaseLoc", "")) if root is not None else ""
        for medium in _children(_child(root, "MultiMedias"), "MultiMedia"):
            yield medium.get("ID", ""), _resolved(folder, _text(medium, "MediaFile"))

    def _template(self, name: str) -> etree._Element | None:
        if name not in self._templates:
            path = self._template_paths.get(name)
            root = self._package.tree(path) if path else None
            if root is None:
                return None
            self._templates[name] = root
        return self._templates[name]


@dataclass(slots=True)
class _Drawing:
    """What one page shows, gathered from its layers.

    `box` is the page in millimetres; `resources` the path of the list of what is the page's own.
    """

    box: _Box
    resources: str
    unread: int = 0
    is_oblique: bool = False
    pictures: list[Placed] = field(default_factory=list)
    _characters: Characters = field(default_factory=Characters)
    _texts: list[str] = field(default_factory=list)
    _horizontal: list[Line] = field(default_factory=list)
    _vertical: list[Line] = field(default_factory=list)
    _straight: set[tuple[str | None, str]] = field(default_factory=set)
    _paths: int = 0
    _shown: int = 0
    _hidden: list[etree._Element] = field(default_factory=list)
    _image_area: float = 0.0
    # Boxes of text in white ink, in points; of what is painted over text, with how many characters were there before.
    _white: list[_Box] = field(default_factory=list)
    _inked: int = 0
    _painted: list[tuple[_Box, int]] = field(default_factory=list)

    def content(self, number: int) -> PageContent:
        """Called once. Text that is not shown counts where it is what a scanner's program recognised."""
        _, _, width, height = self.box
        unseen = sum(len(code.text or "") for element in self._hidden for code in _children(element, "TextCode"))
        is_scan_with_ocr = unseen > self._shown and self._image_area > width * height * _SCAN_COVERS
        if is_scan_with_ocr:
            for element in self._hidden:
                self._take_text(element)
        self._characters.text = "".join(self._texts)
        return PageContent(
            number=number,
            width=width * _POINTS,
            height=height * _POINTS,
            turn=0,
            characters=self._characters,
            horizontal=self._horizontal,
            vertical=self._vertical,
            has_image=self._image_area > 0,
            images=[(one.left, one.top, one.right, one.bottom) for one in self.pictures],
            white=[*(self._white if len(self._white) <= self._inked else ()), *self._covering()],
            is_scan_with_ocr=is_scan_with_ocr,
            too_many_paths=self._paths > MAX_PATHS,
        )

    @property
    def hidden(self) -> int:
        """How many texts are not shown."""
        return len(self._hidden)

    def _covering(self) -> list[_Box]:
        """The boxes painted over text that stood there before."""
        height = self.box[3] * _POINTS
        characters = self._characters
        lines: dict[int, list[int]] = {}
        for index, (top, bottom) in enumerate(
            zip(characters.top, characters.bottom, strict=True) if self._painted else ()
        ):
            lines.setdefault(int((top + bottom) / 2), []).append(index)
        return [
            (left, top, right, bottom)
            for (left, top, right, bottom), before in self._painted
            if any(
                index < before and left < (characters.left[index] + characters.right[index]) / 2 < right
                for y in range(int(max(top, 0)), int(min(bottom, height)) + 1)
                for index in lines.get(y, ())
            )
        ]

    def take_page(self, root: etree._Element) -> None:
        for layer in _children(_child(root, "Content"), "Layer"):
            self._block(layer, 0)

    def _block(self, block: etree._Element, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise UnreadableDocumentError("too_complex", f"page blocks nest more than {_MAX_DEPTH} deep")
        for element in block:
            name = _local_name(element.tag)
            if name == "TextObject":
                self._text(element)
            elif name == "PathObject":
                self._path(element)
            elif name == "ImageObject":
                self._picture(element)
            elif name == "PageBlock":
                self._block(element, depth + 1)
            elif name == "CompositeObject":
                self.unread += 1

    def _picture(self, element: etree._Element) -> None:
        if element.get("Visible") == "false":
            return
        _, _, width, height = _box_of(element.get("Boundary")) or (0.0, 0.0, 0.0, 0.0)
        self._image_area = max(self._image_area, width * height)
        left, top = self._corner(element)
        if element.get("CTM") is not None:
            # A picture is a square of one millimetre before that.
            (width, b, c, height, left, top), _ = self._placed(element)
            self.is_oblique |= b != 0.0 or c != 0.0 or width < 0.0 or height < 0.0
        sides = (side * _POINTS for side in (left, top, left + width, top + height))
        self.pictures.append(Placed(element.get("ResourceID", ""), *sides))

    def _placed(self, element: etree._Element) -> tuple[_Matrix, bool]:
        """Matrix from an object's own space to millimetres on the page, and whether it turns or scales."""
        x, y = self._corner(element)
        ctm = element.get("CTM")
        if ctm is None:
            return (1.0, 0.0, 0.0, 1.0, x, y), False
        a, b, c, d, e, f = _matrix_of(ctm)
        return (a, b, c, d, e + x, f + y), (a, b, c, d) != (1.0, 0.0, 0.0, 1.0)

    def _corner(self, element: etree._Element) -> _Point:
        """Where an object's box begins, in millimetres on the page."""
        words = (element.get("Boundary") or "").split(None, 2)
        left, top, _, _ = self.box
        if len(words) < 2:
            return -left, -top
        try:
            x, y = float(words[0]), float(words[1])
        except ValueError:
            x, y = math.nan, math.nan
        if not math.isfinite(x + y):
            x, y = _number(words[0], 0.0), _number(words[1], 0.0)
        return x - left, y - top

    def _text(self, element: etree._Element) -> None:
        color = _child(element, "FillColor")
        unpainted = element.get("Fill") == "false" and element.get("Stroke") != "true"
        if unpainted or element.get("Visible") == "false" or "0" in (element.get("Alpha"), _attribute(color, "Alpha")):
            self._hidden.append(element)
            return
        before = len(self._characters.left)
        self._shown += self._take_text(element)
        characters = self._characters
        if not _is_white(color):
            self._inked += 1
        elif len(characters.left) > before:
            self._white.append(
                (
                    min(characters.left[before:]),
                    min(characters.top[before:]),
                    max(characters.right[before:]),
                    max(characters.bottom[before:]),
                )
            )

    def _take_text(self, element: etree._Element) -> int:
        """Take a text's characters; how many it has."""
        matrix, is_turned = self._placed(element)
        size = _number(element.get("Size"), 0.0)
        stretch = _number(element.get("HScale"), 1.0)
        x, y = 0.0, 0.0
        count = 0
        for code in _children(element, "TextCode"):
            text = (code.text or "").strip("\r\n")
            count += len(text)
            # A code without its own X or Y goes on from the one before.
            x, y = _number(code.get("X"), x), _number(code.get("Y"), y)
            self._codes(text, (x, y), code, (size, stretch), matrix, is_turned=is_turned)
        return count

    def _codes(
        self,
        text: str,
        start: _Point,
        code: etree._Element,
        sizes: tuple[float, float],
        matrix: _Matrix,
        *,
        is_turned: bool,
    ) -> None:
        if not text:
            return
        size, stretch = sizes
        steps = _deltas(code.get("DeltaX"), len(text) - 1)
        falls = _deltas(code.get("DeltaY"), len(text) - 1)
        wide, narrow = size * stretch, size / 2 * stretch
        naturals = [wide if character > "\u2e7f" else narrow for character in text]
        # Characters without a step of their own follow each other, or stand below each other.
        advances = [*steps, *([0.0] * len(text) if falls else naturals)[len(steps) :]]
        # Neighbours in a word touch; a wide step is a gap after the character.
        widths = [
            (step if step < natural * 1.25 else natural * 1.25) if step > 0 else natural
            for step, natural in zip(advances, naturals, strict=True)
        ]
        x, y = start
        xs = list(accumulate(advances[:-1], initial=x))
        if not falls and not is_turned and wide >= 0.0:
            left, top = matrix[4:]
            above, below = y + (top - _ASCENT * size), y + (top + _DESCENT * size)
            lefts = [x + left for x in xs]
            rights = [x + width for x, width in zip(lefts, widths, strict=True)]
            if -_FAR < above <= below < _FAR and min(lefts) > -_FAR and max(rights) < _FAR:
                self._take_characters(text, lefts, rights, above, below)
                return
        ys = list(accumulate([*falls, *[0.0] * len(text)][: len(text) - 1], initial=y))
        for character, x, y, width in zip(text, xs, ys, widths, strict=True):
            box = _turned(matrix, (x, y - _ASCENT * size, x + width, y + _DESCENT * size))
            if -_FAR < box[0] <= box[2] < _FAR and -_FAR < box[1] <= box[3] < _FAR:
                self._take_characters(character, [box[0]], [box[2]], box[1], box[3])

    def _take_characters(self, text: str, lefts: list[float], rights: list[float], above: float, below: float) -> None:
        """Characters side by side, in millimetres."""
        characters = self._characters
        self._texts.append(text)
        characters.left.extend([x * _POINTS for x in lefts])
        characters.right.extend([x * _POINTS for x in rights])
        characters.top.extend([above * _POINTS] * len(text))
        characters.bottom.extend([below * _POINTS] * len(text))

    def _path(self, element: etree._Element) -> None:
        self._paths += 1
        if self._paths > MAX_PATHS or element.get("Visible") == "false":
            return
        path = ""
        for child in element:
            if _local_name(child.tag) == "AbbreviatedData":
                path = child.text or ""
                break
        is_stroked = element.get("Stroke") != "false"
        if is_stroked and element.get("CTM") is None:
            # Cells draw their borders, and so each border between two of them twice.
            drawn = (element.get("Boundary"), path)
            if drawn in self._straight or self._is_straight(*drawn):
                self._straight.add(drawn)
                return
        matrix, is_turned = self._placed(element)
        is_filled = element.get("Fill") == "true"
        for points in _subpaths(path):
            placed = [_point(matrix, point) for point in points] if is_turned else _moved(matrix, points)
            if is_stroked:
                for (x0, y0), (x1, y1) in pairwise(placed):
                    if abs(x1 - x0) <= _AXIS_TOLERANCE or abs(y1 - y0) <= _AXIS_TOLERANCE:
                        self._thin(x0, y0, x1, y1)
            if is_filled and len(placed) > 1:
                xs, ys = [x for x, _ in placed], [y for _, y in placed]
                left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
                if min(right - left, bottom - top) > _MAX_THICKNESS:
                    self._paint_over((left, top, right, bottom), is_opaque=element.get("Alpha", "255") == "255")
                elif not is_stroked:
                    self._thin(left, top, right, bottom)

    def _paint_over(self, box: _Box, *, is_opaque: bool) -> None:
        before = len(self._characters.left)
        if is_opaque and before and len(self._painted) < _MOST_PAINTED:
            left, top, right, bottom = (side * _POINTS for side in box)
            self._painted.append(((left, top, right, bottom), before))

    def _is_straight(self, boundary: str | None, path: str) -> bool:
        """Take a path that is one straight line, as nine of ten are; False where it is another, or oddly written."""
        words, box = path.split(), (boundary or "").split(None, 2)
        if len(words) != 6 or words[0] not in "MS" or words[3] != "L" or len(box) < 2:
            return False
        try:
            x, y = float(box[0]) - self.box[0], float(box[1]) - self.box[1]
            x0, y0, x1, y1 = float(words[1]) + x, float(words[2]) + y, float(words[4]) + x, float(words[5]) + y
        except ValueError:
            return False
        if x0 == x1 or y0 == y1 or abs(x1 - x0) <= _AXIS_TOLERANCE or abs(y1 - y0) <= _AXIS_TOLERANCE:
            self._thin(x0, y0, x1, y1)
        return True

    def _thin(self, x0: float, y0: float, x1: float, y1: float) -> None:
        left, right = (x0, x1) if x0 < x1 else (x1, x0)
        top, bottom = (y0, y1) if y0 < y1 else (y1, y0)
        if not -_FAR < left <= right < _FAR or not -_FAR < top <= bottom < _FAR:
            return
        width, height = right - left, bottom - top
        if width > height * 1.5 and width >= _MIN_LENGTH:
            self._horizontal.append(Line((top + bottom) / 2 * _POINTS, left * _POINTS, right * _POINTS))
        elif height > width * 1.5 and height >= _MIN_LENGTH:
            self._vertical.append(Line((left + right) / 2 * _POINTS, top * _POINTS, bottom * _POINTS))


def _attribute(element: etree._Element | None, name: str) -> str | None:
    return None if element is None else element.get(name)


def _is_white(color: etree._Element | None) -> bool:
    values = _numbers(_attribute(color, "Value"))
    return len(values) in (1, 3) and min(values) >= LEAST_WHITE


def _deltas(text: str | None, most: int) -> list[float]:
    """Steps between characters. `g n v` says that n steps are v; producers repeat it within one list."""
    if not text or most <= 0:
        return []
    words = text.split()
    steps: list[float] = []
    at = 0
    while at < len(words) and len(steps) < most:
        if words[at] == "g" and at + 2 < len(words):
            count, step = _number(words[at + 1], math.nan), _number(words[at + 2], math.nan)
            if math.isnan(count) or math.isnan(step):
                break
            steps += [step] * max(0, min(int(count), most - len(steps)))
            at += 3
            continue
        step = _number(words[at], math.nan)
        if math.isnan(step):
            break
        steps.append(step)
        at += 1
    return steps


def _subpaths(data: str) -> Iterator[list[_Point]]:
    """Points of each part of a path; a curve ends the part before it and begins another."""
    tokens = _TOKEN.findall(data[: 64 * _MAX_POINTS])
    points: list[_Point] = []
    start: _Point = (0.0, 0.0)
    at = 0
    while at < len(tokens):
        letter = tokens[at]
        count = _OPERANDS.get(letter)
        if count is None or at + count >= len(tokens) + (count == 0):
            break
        operands = tokens[at + 1 : at + 1 + count]
        if any(word.isalpha() for word in operands):
            break
        at += 1 + count
        if letter == "C":
            if points:
                points.append(start)
            continue
        point = (float(operands[-2]), float(operands[-1]))
        if letter == "L":
            points.append(point)
            continue
        if len(points) > 1:
            yield points
        points = [point]
        if letter in "SM":
            start = point
    if len(points) > 1:
        yield points


def _point(matrix: _Matrix, point: _Point) -> _Point:
    a, b, c, d, e, f = matrix
    x, y = point
    return a * x + c * y + e, b * x + d * y + f


def _moved(matrix: _Matrix, points: list[_Point]) -> list[_Point]:
    _, _, _, _, left, top = matrix
    return [(x + left, y + top) for x, y in points]


def _turned(matrix: _Matrix, box: _Box) -> _Box:
    left, top, right, bottom = box
    corners = [_point(matrix, (x, y)) for x in (left, right) for y in (top, bottom)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)
