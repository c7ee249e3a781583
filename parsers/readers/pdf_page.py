"""Characters and ruled lines of one PDF page, fetched from pdfium with as few calls as it allows.

pypdfium2's helper objects cost more than pdfium itself; its raw functions are called here through prototypes that take
plain addresses. pdfium is not thread-safe: callers hold the lock of `parsers.readers.pdf`.
"""

from __future__ import annotations

import ctypes
import math
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise, repeat
from typing import Any, cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from parsers.readers.page_content import Characters, PageContent
from parsers.readers.pdf_grid import Line
from parsers.readers.white import LEAST_WHITE

MAX_CHARACTERS = 200_000
MAX_PATHS = 60_000
MAX_SEGMENTS = 200_000
_MAX_FORM_DEPTH = 8
_MAX_OBJECTS = 500_000

# A line is a stroke or a filled rectangle. pdfium's bounds add up to the line's width on each side.
_MAX_THICKNESS = 4.5
_MIN_LENGTH = 1.0
_AXIS_TOLERANCE = 1.0
# A page whose image covers this much of it is a scan; invisible text over it is the scanner's OCR.
_SCAN_COVERS = 0.5
_INVISIBLE = 3
_RENDER_MODES_LOOKED_AT = 12
# White painted on text is a correction; who paints each cell does so before its text. Less of a character is a touch.
_MOST_PAINTED, _LEAST_COVERED = 100, 0.5

# Loose boxes this many times as high as the page's usual ones are checked against the outlines.
_ODD_HEIGHT = 2.0
_SAMPLE = 12

_TEXT, _PATH, _IMAGE, _FORM = 1, 2, 3, 5
_LINE_TO, _MOVE_TO = 0, 2
_RECTANGLE_SEGMENTS = 5

_Matrix = tuple[float, float, float, float, float, float]
_Box = tuple[float, float, float, float]
_Crop = tuple[float, float, float, float]
_Four = tuple[Any, Any, Any, Any]
_NOTHING = (0, 0, 0, 0)
_IDENTITY: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_void, _int = ctypes.c_void_p, ctypes.c_int
# An address as ctypes passes it on.
_Prepared = Any


def _function(pointer: Any, *arguments: Any, result: Any = _int) -> Callable[..., Any]:
    """`pointer` as a function of plain integers: a third of the cost of converting a ctypes object per argument.

    Numbers of things are passed as addresses are, which ctypes converts fastest: both fill a register. A function of no
    `arguments` takes numbers as they are, and what `_prepared` made of addresses, once for all calls. Buffers are of
    `array`: ctypes would make a type for each length.
    """
    address = ctypes.cast(pointer, _void).value or 0
    return cast(Callable[..., Any], ctypes.PYFUNCTYPE(result, *arguments)(address))


_prepared = _void.from_param
_text_into = _function(raw.FPDFText_GetText, _void, _void, _void, _void)
_loose_box = _function(raw.FPDFText_GetLooseCharBox)
_tight_box = _function(raw.FPDFText_GetCharBox, _void, _void, _void, _void, _void, _void)
_text_matrix = _function(raw.FPDFText_GetMatrix, _void, _void, _void)
_unicode = _function(raw.FPDFText_GetUnicode, _void, _void, result=ctypes.c_uint)
_object = _function(raw.FPDFPage_GetObject, result=_void)
_form_object = _function(raw.FPDFFormObj_GetObject, result=_void)
_form_count = _function(raw.FPDFFormObj_CountObjects, _void)
_type = _function(raw.FPDFPageObj_GetType)
_bounds = _function(raw.FPDFPageObj_GetBounds)
_matrix = _function(raw.FPDFPageObj_GetMatrix, _void, _void)
_fill_color = _function(raw.FPDFPageObj_GetFillColor)
_draw_mode = _function(raw.FPDFPath_GetDrawMode, _void, _void, _void)
_segment_count = _function(raw.FPDFPath_CountSegments, _void)
_segment = _function(raw.FPDFPath_GetPathSegment, _void, _void, result=_void)
_segment_type = _function(raw.FPDFPathSegment_GetType, _void)
_segment_point = _function(raw.FPDFPathSegment_GetPoint, _void, _void, _void)
_segment_close = _function(raw.FPDFPathSegment_GetClose, _void)
_render_mode = _function(raw.FPDFTextObj_GetTextRenderMode, _void)


def load(document: pdfium.PdfDocument, index: int) -> PageContent:
    """Everything a reader needs of page `index` (from 0). Raises pdfium.PdfiumError when pdfium cannot load it."""
    content, is_filled_in = _loaded(document, index)
    return _loaded(document, index)[0] if is_filled_in else content


def _loaded(document: pdfium.PdfDocument, index: int) -> tuple[PageContent, bool]:
    """A page, and whether what was typed into it has now been made part of it, for the next to load it."""
    page = document[index]
    try:
        text_page = page.get_textpage()
        try:
            content = _content(page, text_page, index + 1)
        finally:
            text_page.close()
        # What is typed onto a scan is in its picture already.
        typed = bool(content.characters.text.strip()) and _is_typed_on(page)
        return content, typed and raw.FPDFPage_Flatten(page.raw, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS
    finally:
        page.close()


def _is_typed_on(page: pdfium.PdfPage) -> bool:
    """Whether a page shows what is not in its text: typed into the fields of a form, or over the page."""
    for index in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        has_value = raw.FPDFAnnot_GetValueType(annotation, b"V") == raw.FPDF_OBJECT_STRING
        raw.FPDFPage_CloseAnnot(annotation)
        if kind == raw.FPDF_ANNOT_FREETEXT or (kind == raw.FPDF_ANNOT_WIDGET and has_value):
            return True
    return False


def _content(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage, number: int) -> PageContent:
    rectangle = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page.raw, ctypes.byref(rectangle))
    crop = (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    handle = ctypes.cast(text_page.raw, _void).value
    count = text_page.count_chars()
    text = _text(handle, count) if count <= MAX_CHARACTERS else ""
    rotation = page.get_rotation() % 360
    upright = _text_rotation(handle, text)
    if upright is None:
        upright = rotation
    characters = _characters(handle, text, crop, upright)
    drawing = _Drawing()
    drawing.take_page(page)
    horizontal, vertical = drawing.lines(crop, upright)
    width, height = crop[2] - crop[0], crop[3] - crop[1]
    if upright % 180:
        width, height = height, width
    return PageContent(
        number=number,
        width=width,
        height=height,
        turn=(upright - rotation) % 360,
        characters=characters,
        horizontal=horizontal,
        vertical=vertical,
        has_image=drawing.image_area > 0,
        image_share=drawing.image_area / (width * height) if width * height > 0 else 0.0,
        images=drawing.images(crop, upright),
        white=drawing.white(crop, upright),
        is_scan_with_ocr=drawing.is_invisible_text and drawing.image_area > width * height * _SCAN_COVERS,
        too_many_paths=drawing.is_cut,
        too_many_characters=count > MAX_CHARACTERS,
    )


def _text(handle: int | None, count: int) -> str:
    """One character per index of pdfium's; its bulk function leaves some out, then they are asked one by one."""
    if count <= 0:
        return ""
    buffer = array("H", bytes(2 * (count + 1)))
    written = _text_into(handle, 0, count, _address(buffer))
    text = buffer.tobytes()[: 2 * max(0, written - 1)].decode("utf-16-le", errors="surrogatepass")
    if len(text) == count:
        return text
    codes = (_unicode(handle, index) for index in range(count))
    return "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes)


def _address(buffer: array[Any]) -> int:
    return buffer.buffer_info()[0]


def _text_rotation(handle: int | None, text: str) -> int | None:
    """Clockwise degrees that turn most of the text upright, by a sample; None when there is no text to tell."""
    printed = _printed(text, len(text) // _SAMPLE + 1) or _printed(text, 1)
    matrix = array("f", bytes(24))
    address = _address(matrix)
    votes = {0: 0, 90: 0, 180: 0, 270: 0}
    for index in printed:
        if _text_matrix(handle, index, address):
            votes[round(math.degrees(math.atan2(matrix[1], matrix[0])) / 90) % 4 * 90] += 1
    return max(votes, key=lambda angle: votes[angle]) if printed else None


def _printed(text: str, step: int) -> list[int]:
    return [index for index in range(0, len(text), step) if not text[index].isspace()]


def _characters(handle: int | None, text: str, crop: _Crop, turn: int) -> Characters:
    """Characters as printed. pdfium's own spaces and line ends have no width: they are not on the page."""
    # left, top, right, bottom, in the page's own space (y upwards)
    box = array("f", bytes(16))
    known = map(_loose_box, repeat(_prepared(handle)), range(len(text)), repeat(_prepared(_address(box))))
    boxes = _fours(known, box)
    printed = [right > left for left, _, right, _ in boxes]
    if not any(printed):
        return Characters()
    kept = list(compress(range(len(text)), printed))
    text, boxes = "".join(compress(text, printed)), list(compress(boxes, printed))
    _mend(handle, text, boxes, kept, is_sideways=turn % 180 == 90)
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    by_x, by_y = _axes(crop, turn)
    across, down = by_x.spans(lefts, rights), by_y.spans(bottoms, tops)
    if turn % 180 == 90:
        across, down = down, across
    return Characters(text=text, left=across[0], top=down[0], right=across[1], bottom=down[1])


def _mend(handle: int | None, text: str, boxes: list[_Box], kept: list[int], *, is_sideways: bool) -> None:
    """Put the outlines' boxes in place of loose boxes that cannot be; `kept` are the characters' indices in pdfium.

    pdfium takes a loose box's size from one number of the text matrix. WPS writes vertical headings whose matrix makes
    that twenty times the character's size, and some producers do so for a whole page.
    """
    if is_sideways:
        heights = [right - left for left, _, right, _ in boxes]
    else:
        heights = [top - bottom for _, top, _, bottom in boxes]
    ordered = sorted(heights)
    usual = ordered[len(heights) // 2]
    least, most = usual * 0.5, usual * _ODD_HEIGHT
    odd: Sequence[int] = ()
    if not least <= ordered[0] <= ordered[-1] <= most:
        odd = [at for at, height in enumerate(heights) if not least <= height <= most]
    sample = range(0, len(kept), len(kept) // _SAMPLE + 1)
    wrong = sum(1 for at in sample if _outline_if_wrong(handle, text[at], heights[at], kept[at], is_sideways))
    for at in range(len(kept)) if wrong * 2 > len(sample) else odd:
        outline = _outline_if_wrong(handle, text[at], heights[at], kept[at], is_sideways)
        if outline:
            boxes[at] = outline


def _outline_if_wrong(handle: int | None, character: str, height: float, index: int, is_sideways: bool) -> _Box | None:
    """left, top, right, bottom about the outline of a character whose loose box, so high, is far too big or small."""
    corners = array("d", bytes(32))
    begin = _address(corners)
    if character.isspace() or not _tight_box(handle, index, begin, begin + 8, begin + 16, begin + 24):
        return None
    left, right, bottom, top = corners
    side = max(right - left, top - bottom)
    is_ideograph = "\u3400" <= character <= "\u9fff"
    most = 3.0 if is_ideograph else 4.0 if character.isalnum() else 15.0
    if side <= 0 or side * 0.7 <= height <= side * most:
        return None
    if is_sideways:
        middle = (left + right) / 2
        return middle - side / 2, top, middle + side / 2, bottom
    middle = (top + bottom) / 2
    return left, middle + side / 2, right, middle - side / 2


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where one coordinate of the page's own space goes when the page is laid upright."""

    sign: int
    offset: float

    def spans(self, low: Iterable[float], high: Iterable[float]) -> tuple[list[float], list[float]]:
        """Lower and upper ends, given those of the page's own space."""
        offset = self.offset
        if self.sign > 0 and not offset:
            return list(low), list(high)
        if self.sign > 0:
            return [offset + value for value in low], [offset + value for value in high]
        return [offset - value for value in high], [offset - value for value in low]


def _axes(crop: _Crop, turn: int) -> tuple[_Axis, _Axis]:
    """Those of x and y once the page is turned clockwise, from the top left corner; on its side, x goes down."""
    left, bottom, right, top = crop
    by_x = _Axis(1, -left) if turn in (0, 90) else _Axis(-1, right)
    by_y = _Axis(-1, top) if turn in (0, 270) else _Axis(1, -bottom)
    return by_x, by_y


class _Drawing:
    """Gathers ruled lines, in the page's own space, and what tells a scan, from the page's objects."""

    def __init__(self) -> None:
        self.image_area = 0.0
        # left, bottom, right, top
        self._images: list[_Box] = []
        self._white: list[_Box] = []
        self._covered: list[_Box] = []
        self._inked = 0
        self.is_invisible_text = False
        self.is_cut = False
        # Neighbouring cells each draw the border between them.
        self._thin: set[_Box] = set()
        self._paths = 0
        self._segments = 0
        self._render_modes: list[int] = []
        self._box = array("f", bytes(24))
        self._address = _address(self._box)

    def take_page(self, page: pdfium.PdfPage) -> None:
        handle = ctypes.cast(page.raw, _void).value
        count = min(raw.FPDFPage_CountObjects(page.raw), _MAX_OBJECTS)
        self._take(_objects(_object, _prepared(handle), count), _IDENTITY, 0)
        self.is_invisible_text = self._render_modes.count(_INVISIBLE) * 2 > len(self._render_modes)

    def lines(self, crop: _Crop, turn: int) -> tuple[list[Line], list[Line]]:
        """Horizontal and vertical lines of the page laid upright."""
        across, down = [], []
        for left, top, right, bottom in _upright(list(self._thin), crop, turn):
            width, height = right - left, bottom - top
            if height <= _MAX_THICKNESS and width > height * 1.5 and width >= _MIN_LENGTH:
                across.append(((top + bottom) / 2, left, right))
            elif width <= _MAX_THICKNESS and height > width * 1.5 and height >= _MIN_LENGTH:
                down.append(((left + right) / 2, top, bottom))
        return _lines(across), _lines(down)

    def images(self, crop: _Crop, turn: int) -> list[_Box]:
        """left, top, right, bottom of the pictures of the page laid upright."""
        return _upright(self._images, crop, turn)

    def white(self, crop: _Crop, turn: int) -> list[_Box]:
        """The same of text that white is painted over, and of text in white ink unless most is: on dark paper."""
        white = self._white if len(self._white) <= self._inked else []
        return _upright([*white, *self._covered], crop, turn)

    def _take(self, objects: list[_Prepared], matrix: _Matrix, depth: int) -> None:
        kinds = list(map(_type, objects))
        of_kind = {kind: [one for one, own in zip(objects, kinds, strict=True) if own == kind] for kind in set(kinds)}
        texts, paths, images, forms = (of_kind.get(kind, []) for kind in (_TEXT, _PATH, _IMAGE, _FORM))
        self._render_modes += map(_render_mode, texts[: _RENDER_MODES_LOOKED_AT - len(self._render_modes)])
        white = list(compress(texts, _are_white(texts)))
        self._inked += len(texts) - len(white)
        for box in _all_bounds(white):
            self._white.append(box if matrix is _IDENTITY else _turned(matrix, box))
        for box in _all_bounds(images):
            left, bottom, right, top = box
            self.image_area = max(self.image_area, (right - left) * (top - bottom))
            self._images.append(box if matrix is _IDENTITY else _turned(matrix, box))
        shades = self._take_paths(paths, matrix)
        if shades and texts:
            self._covered += _painted_over(objects, texts, shades, matrix)
        if depth == _MAX_FORM_DEPTH:
            return
        for form in forms:
            if self.is_cut:
                return
            count = min(_form_count(form), _MAX_OBJECTS)
            self._take(_objects(_form_object, form, count), _multiplied(self._matrix(form), matrix), depth + 1)

    def _matrix(self, handle: _Prepared) -> _Matrix:
        if not _matrix(handle, self._address):
            return _IDENTITY
        a, b, c, d, e, f = self._box
        return a, b, c, d, e, f

    def _take_paths(self, paths: Sequence[_Prepared], matrix: _Matrix) -> list[tuple[_Prepared, _Box]]:
        """Take the lines of paths; returns the filled rectangles that are too thick for one."""
        room = MAX_PATHS - self._paths
        if len(paths) > room:
            self.is_cut = True
            paths = paths[:room]
        self._paths += len(paths)
        boxes = _all_bounds(paths)
        if matrix is not _IDENTITY:
            boxes = [_turned(matrix, box) for box in boxes]
        self._thin.update(boxes)
        shades = []
        for handle, box in zip(paths, boxes, strict=True):
            left, bottom, right, top = box
            if right - left > _MAX_THICKNESS and top - bottom > _MAX_THICKNESS:
                _draw_mode(handle, self._address, self._address + 4)
                is_stroked = ctypes.c_int.from_address(self._address + 4).value != 0
                if not is_stroked and _segment_count(handle) <= _RECTANGLE_SEGMENTS:
                    # One filled rectangle, and too thick for a line: the shading of a cell or a page.
                    shades.append((handle, box))
                else:
                    self._outline(handle, _multiplied(self._matrix(handle), matrix), is_stroked=is_stroked)
        return shades

    def _outline(self, handle: _Prepared, matrix: _Matrix, *, is_stroked: bool) -> None:
        """Lines of a path that is more than one line: stroked boxes, polylines, many thin rectangles in one fill."""
        for points in self._subpaths(handle, matrix):
            if is_stroked:
                for (x0, y0), (x1, y1) in pairwise(points):
                    if abs(x1 - x0) <= _AXIS_TOLERANCE or abs(y1 - y0) <= _AXIS_TOLERANCE:
                        self._thin.add((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
                continue
            xs, ys = [x for x, _ in points], [y for _, y in points]
            self._thin.add((min(xs), min(ys), max(xs), max(ys)))

    def _subpaths(self, handle: _Prepared, matrix: _Matrix) -> Iterator[list[tuple[float, float]]]:
        """Points of each part of a path; a curve ends the part before it and begins another."""
        count = _segment_count(handle)
        self._segments += count
        if self._segments > MAX_SEGMENTS:
            self.is_cut = True
            return
        address = self._address
        points: list[tuple[float, float]] = []
        for index in range(count):
            segment = _segment(handle, index)
            kind = _segment_type(segment)
            _segment_point(segment, address, address + 4)
            point = _transformed(matrix, self._box[0], self._box[1])
            if kind != _LINE_TO and points:
                yield points
                points = []
            points.append(point)
            if kind in (_LINE_TO, _MOVE_TO) and _segment_close(segment):
                points.append(points[0])
        if points:
            yield points


def _lines(found: list[tuple[float, float, float]]) -> list[Line]:
    # As Line(…) makes them, without a call of Python's own for each.
    return list(map(tuple.__new__, repeat(Line), found))


def _objects(function: Callable[..., Any], handle: _Prepared, count: int) -> list[_Prepared]:
    return list(map(_prepared, map(function, repeat(handle), range(count))))


def _are_white(objects: Sequence[_Prepared]) -> list[bool]:
    """Whether each object is filled in white; one filled in nothing that pdfium knows is not."""
    inks = _of_each(_fill_color, objects, "I")
    return [red >= LEAST_WHITE and green >= LEAST_WHITE and blue >= LEAST_WHITE for red, green, blue, _ in inks]


def _painted_over(
    objects: Sequence[_Prepared], texts: Sequence[_Prepared], shades: list[tuple[_Prepared, _Box]], matrix: _Matrix
) -> list[_Box]:
    """Where white rectangles lie on texts that were drawn before them."""
    white = list(compress(shades, _are_white([handle for handle, _ in shades])))[:_MOST_PAINTED]
    if not white:
        return []
    places = {id(one): at for at, one in enumerate(objects)}
    drawn = [places[id(text)] for text in texts]
    boxes = [box if matrix is _IDENTITY else _turned(matrix, box) for box in _all_bounds(texts)]
    found = []
    for handle, shade in white:
        for box in boxes[: bisect_left(drawn, places[id(handle)])]:
            left, bottom, right, top = (*map(max, box[:2], shade[:2]), *map(min, box[2:], shade[2:]))
            if right - left >= _LEAST_COVERED and top - bottom >= (box[3] - box[1]) / 2:
                found.append((left, bottom, right, top))
    return found


def _upright(boxes: Sequence[_Box], crop: _Crop, turn: int) -> list[_Box]:
    """left, top, right, bottom, on the page laid upright, of boxes of its own space."""
    if not boxes:
        return []
    by_x, by_y = _axes(crop, turn)
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    across, down = by_x.spans(lefts, rights), by_y.spans(bottoms, tops)
    if turn % 180 == 90:
        across, down = down, across
    return list(zip(across[0], down[0], across[1], down[1], strict=True))


def _all_bounds(objects: Sequence[_Prepared]) -> list[_Box]:
    """left, bottom, right, top of each object; zeros where pdfium knows none."""
    return _of_each(_bounds, objects, "f")


def _of_each(function: Callable[..., Any], objects: Sequence[_Prepared], kind: str) -> list[_Four]:
    """Four numbers that pdfium says of each object; `kind` is an array's code for them."""
    numbers = array(kind, bytes(16))
    begin = _address(numbers)
    return _fours(map(function, objects, *(repeat(_prepared(begin + 4 * place)) for place in range(4))), numbers)


def _fours(answers: Iterable[int], numbers: array[Any]) -> list[_Four]:
    """The four `numbers` that pdfium leaves with each answer, zeros with one that says it knows none."""
    taken = struct.Struct(f"4{numbers.typecode}").unpack_from
    return [taken(numbers) if is_known else _NOTHING for is_known in answers]


def _turned(matrix: _Matrix, box: _Box) -> _Box:
    left, bottom, right, top = box
    (x0, y0), (x1, y1) = _transformed(matrix, left, bottom), _transformed(matrix, right, top)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _transformed(matrix: _Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _multiplied(first: _Matrix, then: _Matrix) -> _Matrix:
    if then is _IDENTITY:
        return first
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
