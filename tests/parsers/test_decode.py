"""Bytes to characters: the encodings Chinese pages are written in, damaged ones among them."""

import pytest

from parsers.decode import decode

TEXT = "青禾镇人民政府2022年政府信息公开工作年度报告\n本年新收政府信息公开申请数量 41 件\n" * 20


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_text_is_known_by_its_bytes(encoding):
    decoded = decode(TEXT.encode(encoding))
    assert (decoded.text, decoded.encoding, decoded.broken) == (TEXT, encoding, 0)


@pytest.mark.parametrize("damage", [b"\xa3\xac", b"\xb5\xc4", b"\xff"])
def test_utf8_with_a_broken_place_stays_utf8(damage):
    data = TEXT.encode()
    at = data.index("报告".encode())
    decoded = decode(data[:at] + damage + data[at:])
    assert decoded.encoding == "utf-8"
    assert decoded.broken > 0
    assert "青禾镇人民政府2022年" in decoded.text


def test_gb18030_with_a_broken_place_stays_gb18030():
    data = TEXT.encode("gb18030")
    decoded = decode(data[:100] + b"\xff" + data[100:])
    assert decoded.encoding == "gb18030"
    assert decoded.broken > 0


def test_a_mark_of_utf8_before_gbk_does_not_make_it_utf8():
    decoded = decode(b"\xef\xbb\xbf" + TEXT.encode("gb18030"))
    assert (decoded.text, decoded.encoding, decoded.broken) == (TEXT, "gb18030", 0)


def test_a_mark_of_utf8_is_no_part_of_the_text():
    assert decode(b"\xef\xbb\xbf" + TEXT.encode()).text == TEXT
