"""Tables that are ruled across only, or not at all: most cells are read, and none is surely wrong.

Nothing lowers a floor but a person editing it.
"""

from __future__ import annotations

import pytest
from measured import YEARS, Measure, _compared, reports

from crawler.replica.writers import pdf
from crawler.replica.writers.pdf import PdfStyle, Rules
from parsers.reading import read

# Where nothing is ruled, labels over several lines stand between those of their neighbours, and some rows stay unread.
FLOORS: dict[tuple[Rules, str], float] = {
    ("across", "2014"): 0.98,
    ("across", "2019"): 1.0,
    ("across", "2021"): 1.0,
    ("none", "2014"): 0.98,
    ("none", "2019"): 0.96,
    ("none", "2021"): 0.92,
}


@pytest.mark.parametrize(("rules", "form"), FLOORS)
def test_a_way_of_ruling_keeps_its_floor(rules: Rules, form: str) -> None:
    assert form in YEARS
    found = [_compared(one, read(pdf.write(one, style=PdfStyle(rules=rules)))) for one in reports(form, (1,))]
    whole = Measure(*(sum(getattr(one, name) for one in found) for name in ("cells", "right", "wrong_when_sure")))
    assert whole.wrong_when_sure == 0
    assert whole.share >= FLOORS[rules, form], f"{whole.right} of {whole.cells} cells right"
