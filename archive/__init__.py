"""Remembers: WARC files and the SQLite store. Knows bytes and rows; never the web, never documents.

    DIR/warc/*.warc.gz        sealed WARC/1.1 files, one gzip member per record, never changed again
    DIR/warc/*.warc.gz.open   the file being written
    DIR/index.cdxj            CDXJ over every sealed file
    DIR/corpus.db             SQLite, WAL

Only `warc/` is precious: every row derived from captures can be made again from it.
"""
