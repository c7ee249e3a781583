"""What fetching does not need is not imported by it: start-up is a tenth of a short crawl, and memory stays taken."""

import subprocess
import sys

UNWANTED = ("numpy", "onnxruntime", "pandas", "pyarrow", "trafilatura", "crawler.extract", "parsers.reading")


def test_a_crawl_does_not_import_what_only_reading_and_others_need():
    code = f"import sys, crawler.crawl, crawler.spiders.bundled; print(sorted(set({UNWANTED}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_who_wants_what_sqlite_utils_leaves_out_gets_it():
    code = "import archive.store, numpy, sys; print(numpy.arange(3).sum(), sys.modules['sqlite_utils'].__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["3", "sqlite_utils"]
