"""JPEG 2000, as scanners and what writes OFD keep pages: in its box (.jp2) and bare (.j2k)."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("PIL", reason="Pillow is not installed (extra ocr)")
pytest.importorskip("numpy", reason="numpy is not installed (extra ocr)")

import numpy as np
from PIL import Image

from parsers import sniff
from parsers.errors import UnreadableDocumentError
from parsers.readers import READERS, image

INK = np.arange(64 * 48, dtype=np.uint32).reshape(64, 48)
GREY = Image.fromarray((INK % 251).astype(np.uint8))
COLOURED = Image.merge("RGB", [GREY, GREY.transpose(Image.Transpose.FLIP_TOP_BOTTOM), GREY])


def encoded(picture: Image.Image, *, is_bare: bool) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG2000", no_jp2=is_bare)
    return buffer.getvalue()


@pytest.mark.parametrize("is_bare", [False, True], ids=["jp2", "j2k"])
@pytest.mark.parametrize("picture", [GREY, COLOURED], ids=["grey", "coloured"])
def test_a_picture_is_decoded(picture: Image.Image, is_bare: bool) -> None:
    data = encoded(picture, is_bare=is_bare)
    assert sniff.media_type(data) == "image/jp2"
    assert READERS["image/jp2"].module == "parsers.readers.image"
    (frame,) = image.frames(data, [])
    assert np.array_equal(np.asarray(frame), np.asarray(picture))


@pytest.mark.parametrize("is_bare", [False, True], ids=["jp2", "j2k"])
def test_one_that_is_cut_off_is_damaged(is_bare: bool) -> None:
    data = encoded(GREY, is_bare=is_bare)
    for end in (30, len(data) // 2):
        with pytest.raises(UnreadableDocumentError) as refused:
            next(image.frames(data[:end], []))
        assert refused.value.code == "damaged"


def test_one_that_says_it_is_larger_than_any_page_is_not_decoded() -> None:
    data = bytearray(encoded(GREY, is_bare=True))
    # The size stands behind the marker, the length and the capabilities of its first segment.
    data[8:16] = (20_000).to_bytes(4, "big") * 2
    with pytest.raises(UnreadableDocumentError) as refused:
        next(image.frames(bytes(data), []))
    assert refused.value.code == "too_large"
