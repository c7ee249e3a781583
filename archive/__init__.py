"""Remembers: WARC files and the SQLite store. Knows bytes and rows; never the web, never documents.

    DIR/warc/*.warc.gz        sealed WARC/1.1 files, one gzip member per record, never changed again
    DIR/warc/*.warc.gz.open   the file being written
    DIR/warc/imported-*       files of other tools (WARC/1.0 or 1.1, one gzip member per record), never changed either
    DIR/warc/MANIFEST.jsonl   a line per sealed file: sha256, records, bytes; in the order of sealing
    DIR/warc/quarantine/      what contradicted the database, tails cut off after a crash, imported files with damage in
                              them, whole; nothing is ever deleted
    DIR/index.cdxj            CDXJ over every sealed file
    DIR/corpus.db             SQLite, WAL

Only `warc/` is precious: every row can be made again from it. What people decide (corrections, which names mean one
agency) is therefore recorded there too, each decision a metadata record under `urn:gongkai:decision:`.

Files that we wrote are `gongkai-TIME-HOST-…`. A file that `gongkai import` took in is `imported-SHA256-NAME`: byte for
byte what it was where it came compressed record by record; else each record, its bytes as they are, in its own member.
A note in a file of ours says what it was called, its sha256 as it came, and which run took it in; with that note its
captures come back when the database is made again.
"""

from archive import lean  # noqa: F401  before anything else imports sqlite_utils
