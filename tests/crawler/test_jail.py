"""What a document can do to the process that reads it, and that it is never more than one failure."""

import contextlib
import errno
import json
import os
import pickle
import sys
import time
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import hostile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.jail import Failure, InProcess, Jail, Limits, Pool, answers, sandbox, seccomp
from crawler.parse import understand
from parsers.model import Cell, Fact, Reading

LIMITS = Limits(cpu_seconds=1, wall_seconds=20, memory_bytes=1 << 30, output_bytes=1 << 20)
needs_filter = pytest.mark.skipif(sys.platform != "linux", reason="system calls are filtered on Linux only")
needs_bubblewrap = pytest.mark.skipif(not sandbox.command()[0], reason="bubblewrap is missing or not allowed here")


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(LIMITS) as one:
        yield one


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jail]:
    monkeypatch.setattr(sandbox, "command", lambda: ((), "bubblewrap is not installed"))
    with Jail(LIMITS) as one:
        yield one


def test_a_result_comes_back_as_it_was(jail: Jail) -> None:
    fact = Fact("a.b", Decimal("1.50"), "1.50", "件", "reported", "page=1")
    value = (1, None, "字", b"\0", (Cell("x", 0, 0, ""),), {"a": (True, 1.5)}, fact, "\x00\u2028\\ud800")
    assert jail.run(hostile.echoed_everything, value) == value
    for one in (value[4][0], fact, ("x", "y"), ()):
        assert jail.run(hostile.echoed_one, one) == one


def test_a_reading_passes(jail: Jail) -> None:
    assert jail.run(hostile.reading) == Reading(media_type="text/plain", title="某街道")


@pytest.mark.parametrize(
    ("function", "code", "says"),
    [
        (hostile.loops, "parser_timeout", "1 seconds of CPU"),
        (hostile.fills_memory, "parser_memory", "1024 MB"),
        (hostile.crashes, "parser_crashed", "SIGSEGV"),
        (hostile.aborts, "parser_crashed", "SIGABRT"),
        (hostile.ends, "parser_crashed", "status 3"),
        (hostile.floods, "parser_output", "1048576 at most"),
        (hostile.fails, "reader_failed", "ValueError: not a number"),
        (hostile.panics, "reader_failed", "KeyboardInterrupt"),
        (hostile.fills_memory_below_python, "reader_failed", "Cannot allocate memory"),
        (hostile.sends_an_object, "reader_failed", "unsupported"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_harm_is_one_failure_and_the_next_document_is_read(jail: Jail, function, code: str, says: str) -> None:
    failure = jail.run(function)
    assert isinstance(failure, Failure)
    assert (failure.code, says in failure.message) == (code, True), failure
    assert jail.run(hostile.echoed, 1) == 1


def test_a_pdf_whose_drawing_draws_itself_twice_is_one_failure() -> None:
    """pdfium follows it two to the power of its depth: gigabytes and minutes, from 600 bytes."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</XObject<</X 4 0 R>>>>>>",
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>/Length 11>>"
        b"stream\n/X Do /X Do\nendstream",
        b"<</Length 5>>stream\n/X Do\nendstream",
    ]
    body = b"".join(b"%d 0 obj%s endobj\n" % (number, one) for number, one in enumerate(objects, 1))
    with Jail(LIMITS) as jail:
        end = b"xref\n0 0\ntrailer<</Root 1 0 R/Size 6>>\nstartxref\n%d\n%%%%EOF" % (9 + len(body))
        failure = jail.run(understand, b"%PDF-1.7\n" + body + end, "", {})
        assert isinstance(failure, Failure)
        assert failure.code in ("parser_timeout", "parser_crashed", "parser_memory")
        assert jail.run(hostile.echoed, 1) == 1


def test_a_reader_that_waits_forever_is_ended_by_the_clock() -> None:
    with Jail(Limits(cpu_seconds=60, wall_seconds=0.5)) as jail:
        began = time.monotonic()
        failure = jail.run(hostile.sleeps)
        assert isinstance(failure, Failure)
        assert failure.code == "parser_timeout"
        assert time.monotonic() - began < 10
        assert jail.run(hostile.echoed, 1) == 1


def test_a_worker_that_does_not_take_its_job_is_ended_by_the_clock() -> None:
    with Jail(Limits(wall_seconds=0.5)) as jail:
        jail.run(hostile.echoed, 1)
        os.kill(jail._process.pid, 19)  # SIGSTOP to bubblewrap or the worker itself
        os.killpg(jail._process.pid, 19)
        failure = jail.run(hostile.echoed, b"x" * (32 << 20))
        assert isinstance(failure, Failure)
        assert failure.code == "parser_timeout"


def test_what_a_library_prints_harms_nothing(jail: Jail) -> None:
    assert jail.run(hostile.prints) == "printed"
    assert jail.run(hostile.echoed, 1) == 1


def test_bytes_of_its_own_on_the_pipe_are_no_answer(jail: Jail) -> None:
    failure = jail.run(hostile.floods_pipes)
    assert isinstance(failure, Failure)
    assert failure.code == "parser_crashed"
    assert jail.run(hostile.echoed, 1) == 1


def test_an_answer_runs_no_code(jail: Jail) -> None:
    failure = jail.run(hostile.forges, pickle.dumps(hostile.Call()))
    assert isinstance(failure, Failure)
    assert failure.code == "parser_crashed"
    assert "cannot be sent" in jail.run(hostile.sends_a_call).message


def test_an_answer_takes_no_more_memory_than_its_bytes(jail: Jail) -> None:
    """A pickle of ten bytes has its reader make a list of 4 GB, JSON of 15 MB lists of 500 MB."""
    tracemalloc.start()
    try:
        failure = jail.run(hostile.forges, b"\x80\x04Nr\xff\xff\xff\x0f.")
        with pytest.raises(ValueError, match="more than 4000000 values"):
            answers.answer(b'["done","Reading",[' + b"[]," * 5_000_000 + b"[]]]", Reading)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert isinstance(failure, Failure)
    assert failure.code == "parser_crashed"


def test_a_result_that_is_endless_as_text_ends_its_worker(jail: Jail) -> None:
    failure = jail.run(hostile.fills_what_it_sends)
    assert isinstance(failure, Failure)
    assert failure.code in ("parser_memory", "parser_timeout")


@pytest.mark.parametrize(
    "value",
    [
        Reading(media_type=["x"]),
        Reading("", title={"a": 1}),
        Reading("", kind="poem"),
        Reading("", report_year=2023.5),
        Reading("", report_year=10**30),
        Reading("", facts="none"),
        Reading("", facts=((1, 2),)),
        Reading("", facts=(Fact("a.b", 1, "1", "件", "reported", "", float("nan")),)),
        Reading("", facts=(Fact("a.b", 1, "1", "件", "made up", ""),)),
        Reading("", facts=(Fact("a.b", Decimal("1e99"), "1", "件", "reported", ""),)),
        Reading("", findings=(Fact("a.b", 1, "1", "件", "reported", ""),)),
        Reading("", title="\ud800"),
        (Reading(""), None),
        "reading",
        None,
    ],
    ids=repr,
)
def test_an_answer_is_of_the_type_that_the_function_declares(jail: Jail, value: object) -> None:
    failure = jail.run(hostile.is_told_as_declared, value)
    assert isinstance(failure, Failure)
    assert failure.code in ("parser_crashed", "reader_failed")


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'["done"]', b'["done","",1]', b'["done","",{},2]', b'{"done":1}', b'["harm","",1]',
     b'["done","",1e999]', b'["done","",NaN]', b'["done","",{"media_type":"\\ud800"}]', b'["ready","","x"]',
     b'["done","",{"media_type":"","report_year":' + b"9" * 5000 + b"}]", b'["done","",{"media_type":"\xff"}]',
     b'["done","",{"media_type":"","facts":[{}]}]', b"[" * 100_000, b'["done","",' + b"[" * 100_000],
)  # fmt: skip
def test_an_answer_of_another_shape_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="no answer"):
        answers.answer(data, Reading)


NAMES = st.sampled_from(["media_type", "kind", "facts", "value", "contact", "report_year", "error", "x"])
ANY_JSON = st.recursive(
    st.sampled_from(["", "annual_report", 1, 0.5, None, True]),
    lambda inner: st.lists(inner, max_size=16) | st.dictionaries(NAMES, inner, max_size=2),
)


@settings(deadline=None)
@given(ANY_JSON)
def test_any_json_is_an_answer_or_none(value: object) -> None:
    with contextlib.suppress(ValueError):
        kind, told = answers.answer(json.dumps(["done", "", value]).encode(), Reading)
        assert (kind, type(told)) == ("done", Reading)


@needs_filter
def test_nothing_is_started_reached_or_written(jail: Jail, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    found = jail.run(hostile.tries_everything, str(tmp_path))
    assert isinstance(found, dict)
    assert {name: error for name, error in found.items() if not error} == {}


@needs_filter
def test_the_same_holds_where_there_is_no_bubblewrap(without_bubblewrap: Jail, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    found = without_bubblewrap.run(hostile.tries_everything, str(tmp_path))
    assert found == dict.fromkeys(found, errno.EPERM)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert (tmp_path / "kept.txt").read_text() == "kept"
    assert without_bubblewrap.missing() == ("no namespaces: bubblewrap is not installed",)


@needs_filter
def test_nothing_is_done_to_the_parent_where_there_is_no_bubblewrap(without_bubblewrap: Jail) -> None:
    found = without_bubblewrap.run(hostile.reaches_its_parent)
    assert found == dict.fromkeys(found, errno.EPERM)


@needs_filter
def test_no_memory_is_held_that_the_limit_does_not_count(without_bubblewrap: Jail) -> None:
    found = without_bubblewrap.run(hostile.holds_memory_outside_itself)
    assert found == dict.fromkeys(found, errno.EPERM)


@needs_filter
def test_a_worker_of_root_has_none_of_its_powers(without_bubblewrap: Jail) -> None:
    assert without_bubblewrap.run(hostile.capabilities) == ["0" * 16] * 3


@needs_filter
def test_calls_of_newer_kernels_are_unknown_to_a_worker(without_bubblewrap: Jail) -> None:
    assert without_bubblewrap.run(hostile.newer_call) == errno.ENOSYS


def test_a_crash_is_named_where_there_is_no_bubblewrap(without_bubblewrap: Jail) -> None:
    assert "SIGSEGV" in without_bubblewrap.run(hostile.crashes).message
    assert without_bubblewrap.run(hostile.loops).code == "parser_timeout"


def test_numeric_libraries_may_have_threads(jail: Jail) -> None:
    assert jail.run(hostile.threads) == [1]


@needs_bubblewrap
def test_a_worker_sees_no_files_but_the_programs(jail: Jail, tmp_path: Path) -> None:
    assert jail.run(hostile.sees, str(tmp_path)) is False
    assert jail.run(hostile.sees, "/etc/passwd") is False
    assert jail.run(hostile.sees, "/home") is False
    root = Path(__file__).parents[2]
    assert jail.run(hostile.sees, str(root / "parsers")) is True
    assert jail.run(hostile.sees, str(root / "pyproject.toml")) is False


def test_a_worker_is_kept_and_replaced_after_so_many_documents() -> None:
    with Jail(Limits(documents=3)) as jail:
        seen = []
        for _ in range(4):
            jail.run(hostile.echoed, 1)
            seen.append(jail._process.pid if jail._process else None)
    assert seen[0] == seen[1]
    assert seen[2] is None
    assert seen[3] != seen[0]


@pytest.mark.parametrize(
    ("function", "expected"), [(hostile.takes_memory, 500 << 20), (hostile.crashes_where_another_was, "read")]
)
def test_a_document_does_not_suffer_from_those_before_it(function, expected: object) -> None:
    with Jail(LIMITS) as jail:
        jail.run(hostile.leaves_memory_behind)
        assert jail.run(function) == expected


def test_a_worker_killed_between_documents_costs_none() -> None:
    with Jail() as jail:
        jail.run(hostile.echoed, 1)
        jail.kill()
        time.sleep(0.2)
        assert jail.run(hostile.echoed, 2) == 2


def test_a_pool_answers_each_job_and_can_be_stopped() -> None:
    pool = Pool(2, LIMITS)
    try:
        futures = [pool.submit(hostile.echoed, number) for number in range(5)]
        assert [future.result(30) for future in futures] == [0, 1, 2, 3, 4]
        waiting = pool.submit(hostile.sleeps)
        time.sleep(0.3)
        pool.stop()
        assert waiting.result(30).code == "parser_crashed"
        assert pool.submit(hostile.echoed, 1).result(30) == 1
    finally:
        pool.close()


def test_without_a_jail_a_mistake_is_still_a_failure() -> None:
    assert InProcess().submit(hostile.fails).result() == Failure(
        "reader_failed", "the reader failed: ValueError: not a number"
    )


def test_a_platform_without_a_filter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert seccomp.confine() == "no seccomp on darwin"
