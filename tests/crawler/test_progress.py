"""Progress: a bar on a terminal, lines where a night asks for them, nothing elsewhere."""

import io
import time

from crawler.progress import counted, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_said_where_nobody_watches() -> None:
    out = io.StringIO()
    with progress("crawl", "captures", out=out) as advance:
        advance()
    assert out.getvalue() == ""


def test_a_terminal_shows_a_bar() -> None:
    out = Terminal()
    with progress("crawl", "captures", total=2, out=out, lines=True) as advance:
        advance(2)
    assert "crawl: 100%" in out.getvalue()


def test_a_night_says_at_the_end_how_much_was_done() -> None:
    out = io.StringIO()
    with progress("extract", "captures", total=3, lines=True, out=out) as advance:
        advance()
        advance(2)
    assert out.getvalue().startswith("extract: 3 of 3 captures in ")
    assert out.getvalue().count("\n") == 1


def test_a_night_speaks_even_when_nothing_moves() -> None:
    out = io.StringIO()
    with progress("crawl", "captures", lines=True, out=out, every_seconds=0.01):
        give_up = time.monotonic() + 10
        while out.getvalue().count("\n") < 2 and time.monotonic() < give_up:
            time.sleep(0.01)
    assert out.getvalue().count("crawl: 0 captures") >= 3


def test_what_is_done_in_all_becomes_what_is_done_since() -> None:
    out = Terminal()
    with progress("import", "B", total=3000, is_scaled=True, out=out) as advance:
        reach = counted(advance)
        reach(1000)
        reach(3000)
    assert "import: 100%" in out.getvalue()
    assert "3.00k/3.00k" in out.getvalue()
