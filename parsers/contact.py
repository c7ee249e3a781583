"""The contact block of a report: whom to ask, where, by post, telephone and mail."""

from __future__ import annotations

import re
from functools import cache

from parsers.model import Contact
from parsers.vocabulary import report_words

_ASK_WITH = re.compile(r"请(?:直接|及时)?[与同和向](?P<who>[^，。；,;（(：:]{3,40}?)(?:联系|咨询|反映|提出)")
_ASK = re.compile(
    r"(?:请|可|敬请)(?:直接|及时)?(?:联系|咨询)(?!电话|地址|方式|人)[：:]?(?P<who>[^，。；,;（(：:]{3,40})"
)
_ENDS = {
    "postcode": re.compile(r"\d{6}(?!\d)"),
    "phone": re.compile(r"[(（]?\+?\d[\d\-—–－()（）转、/]{5,40}"),
    "email": re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{2,80}"),
}
_TEXT_END = re.compile(r"[。；;）)]|[，,](?=[^，,]{0,6}[：:])|$")
_AFTER = "，,。；;：:（(、"


def contact(text: str) -> Contact:
    """The contact block in running text without spaces. Values as printed, without those spaces; "" when not given."""
    found: dict[str, str] = {}
    matches = list(_labels().finditer(text))
    for number, match in enumerate(matches):
        field = report_words().contact[match["label"]]
        end = matches[number + 1].start() if number + 1 < len(matches) else len(text)
        value = _value(field, text[match.end() : end])
        if value and field != "other":
            found.setdefault(field, value)
    who = _ASK_WITH.search(text) or _ASK.search(text)
    if who:
        found.setdefault("department", who["who"])
    return Contact(**found)


def _value(field: str, text: str) -> str:
    pattern = _ENDS.get(field)
    if pattern is None:
        end = _TEXT_END.search(text)
        return (text[: end.start()] if end else text).strip(_AFTER)[:80]
    match = pattern.search(text[:60])
    return _without_open_end(match.group()) if match else ""


def _without_open_end(value: str) -> str:
    """A number without separators at its end, nor a bracket that was opened before it."""
    value = value.rstrip("-—–－、/转(（")
    while value.endswith((")", "）")) and sum(map(value.count, "(（")) < sum(map(value.count, ")）")):
        value = value[:-1]
    return value


@cache
def _labels() -> re.Pattern[str]:
    longest_first = sorted(report_words().contact, key=lambda label: (-len(label), label))
    return re.compile(rf"(?P<label>{'|'.join(map(re.escape, longest_first))})(?:号码|为|是)?(?:[：:]|(?=\d))")
