"""Remembers: WARC files and the SQLite store. Knows bytes and rows; never the web, never documents.

    DIR/warc/*.warc.gz        sealed WARC/1.1 files, one gzip member per record, never changed again
    DIR/warc/*.warc.gz.open   the file being written
    DIR/warc/MANIFEST.jsonl   a line per sealed file: sha256, records, bytes; in the order of sealing
    DIR/warc/quarantine/      what contradicted the database, and tails cut off after a crash; nothing is ever deleted
    DIR/index.cdxj            CDXJ over every sealed file
    DIR/corpus.db             SQLite, WAL

Only `warc/` is precious: every row derived from captures can be made again from it.
"""
