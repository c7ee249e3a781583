"""What a sheet shows for a number: number formats of workbooks, as far as they are plain."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

# The formats that workbooks name by number alone; the rest of those are dates and texts.
BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    37: "#,##0_);(#,##0)",
    38: "#,##0_);[Red](#,##0)",
    39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)",
    41: '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ',
    42: '_ "¥"* #,##0_ ;_ "¥"* -#,##0_ ;_ "¥"* "-"_ ;_ @_ ',
    43: '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ',
    44: '_ "¥"* #,##0.00_ ;_ "¥"* -#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ',
    48: "##0.0E+0",
}
# Where a cell shows something else than its number, and it cannot be told what, or nothing.
UNTOLD = "\ufffc"
# A format that shows no number.
HIDING = ";;;"
_AS_IT_IS = ("", "general", "g/通用格式", "@")
_MOST_DIGITS = 15
_DIGITS = "\0"
_PART = re.compile(
    r'"(?P<quoted>[^"]*)"|[\\!](?P<escaped>.)|(?P<space>_.)|(?P<fill>\*.)'
    r"|(?P<look>\[(?:black|blue|cyan|green|magenta|red|yellow|color ?\d+|[黑红绿蓝黄]色?|\$-[0-9a-f]+)\])"
    r"|(?P<digits>general|g/通用格式|[#0?][#0?,]*(?:\.[#0?]*)?,*)"
    r"|(?P<plain>[-+ ¥￥$()%.、。:])|(?P<han>[\u3400-\u9fff])",
    re.IGNORECASE,
)
_SECTION_END = re.compile(r'((?:"[^"]*"|[\\!_*].|[^;"\\!_*])*)(?:;|$)')


@lru_cache(maxsize=1024)
def is_as_it_is(code: str) -> bool:
    """Whether a format shows every number as it is."""
    return code.strip().lower() in _AS_IT_IS


def shown(value: float, code: str) -> str:
    """What a number looks like under a format; UNTOLD where the format is not a plain one, or shows nothing."""
    sections = _sections(code)
    section, is_negative = sections[0], value < 0
    if value < 0 and len(sections) > 1:
        section, is_negative = sections[1], False
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    number = abs(Decimal(format(value, f".{_MOST_DIGITS}g")))
    text = _in_section(number, section).strip()
    if not text or UNTOLD in text:
        return UNTOLD
    return f"-{text}" if is_negative else text


@lru_cache(maxsize=1024)
def _sections(code: str) -> list[str]:
    found = [match[1] for match in _SECTION_END.finditer(code)]
    # After the last section the empty end of the text matches once more.
    return found[:-1] if len(found) > 1 and not code.endswith(";") else found


def _in_section(number: Decimal, section: str) -> str:
    texts: list[str] = []
    digits, at = "", 0
    while at < len(section):
        found = _PART.match(section, at)
        if not found or (found["digits"] and digits):
            return UNTOLD
        at = found.end()
        if found["digits"]:
            digits = found["digits"]
            texts.append(_DIGITS)
        else:
            texts.append(found["quoted"] or found["escaped"] or found["plain"] or found["han"] or "")
            number = number * 100 if found["plain"] == "%" else number
    text = "".join(texts)
    if digits.endswith(","):
        # In thousands, and mostly under a format that makes ten thousands of them.
        return UNTOLD
    return text.replace(_DIGITS, _in_digits(number, digits))


def _in_digits(number: Decimal, digits: str) -> str:
    if digits.lower() in _AS_IT_IS:
        return format(number, "f")
    whole, _, after = digits.partition(".")
    rounded = number.quantize(Decimal(1).scaleb(-len(after)), ROUND_HALF_UP)
    if rounded == 0 and "0" not in whole:
        return "" if "0" not in after else UNTOLD
    return format(rounded, ",f" if "," in whole else "f")
