"""Whether a page may link to a file, told by its bytes alone: most pages do not, and need not be parsed to know it.

Every link that `parsers.attachments` takes leaves a sign in the bytes: a file's extension in an address or a name, a
download endpoint, or a picture in the body box or named 附件. Signs are taken wherever they stand, so a page with one
may still have no file; a page without any has none.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import cache

from parsers.vocabulary import page_words

# Parts of endpoints that several share are asked for once; shorter ones say nothing.
_SHORTEST_STEM = 6
# Pictures further down are more than a header's.
_HEADER_BYTES = 4096
_LOWER = bytes(range(256)).lower()
_CONTROLS = bytes(range(0x20))
# Characters that may be part of a sign, written otherwise: numbers other than those of blanks, quotes and brackets.
_HIDDEN = (
    re.compile(rb"&(?:#(?!(?:160|xa0|32|34|38|39|60|62|183|819[45]|822[01]|12288);)|period)"),
    re.compile(rb"%(?:25)*2e"),
)
_ATTACHMENT_ENCODINGS = ("utf-8", "gb18030")


def may_link_files(data: bytes, *, url: str = "") -> bool:
    """False when `parsers.attachments` would find nothing on the page at `url`; True when it may."""
    if b"\0" in data:
        # UTF-16: the signs are spelled otherwise.
        return True
    plain = (url.encode("utf-8", "replace") + b"\n" + data).translate(_LOWER, _CONTROLS)
    if _file_name().search(plain) or _shows_pictures(plain):
        return True
    return any(stem in plain for stem in _endpoint_stems()) or any(hidden.search(plain) for hidden in _HIDDEN)


def _shows_pictures(plain: bytes) -> bool:
    """A picture that stands where the body box may have begun, or on a page that speaks of attachments."""
    last = max(plain.rfind(b"<img"), *(found.start() for found in _picture_name().finditer(plain)), -1)
    if last < 0:
        return False
    before = plain[:last]
    return (
        last > _HEADER_BYTES
        or any(name in before for name in _body_names())
        or any(word in plain for word in _attachment_words())
    )


@cache
def _file_name() -> re.Pattern[bytes]:
    return _extension(page_words().attachments.extensions)


@cache
def _picture_name() -> re.Pattern[bytes]:
    return _extension(page_words().attachments.image_extensions)


def _extension(extensions: frozenset[str]) -> re.Pattern[bytes]:
    """Any of the extensions, or letters after a dot that go on in percent signs."""
    spelled = "|".join(sorted(extensions, key=lambda extension: (-len(extension), extension)))
    return re.compile(rf"\.(?:(?:{spelled})(?![a-z0-9])|[a-z0-9]{{0,4}}%[0-9a-f])".encode())


@cache
def _endpoint_stems() -> tuple[bytes, ...]:
    """What every endpoint holds at least one of: parts that several share stand for all of them."""
    stems: list[str] = []
    for endpoint in page_words().attachments.endpoints:
        # Joining addresses can break an endpoint up at its slashes only.
        piece = max(endpoint.split("/"), key=len)
        for place, stem in enumerate(stems):
            shared = SequenceMatcher(None, stem, piece, autojunk=False).find_longest_match()
            if shared.size >= _SHORTEST_STEM:
                stems[place] = stem[shared.a : shared.a + shared.size]
                break
        else:
            stems.append(piece)
    return tuple(stem.encode() for stem in stems)


@cache
def _body_names() -> tuple[bytes, ...]:
    return tuple({name.lower().encode() for name in page_words().body_ranks})


@cache
def _attachment_words() -> tuple[bytes, ...]:
    return tuple(word.encode(encoding) for word in page_words().attachments.words for encoding in _ATTACHMENT_ENCODINGS)
