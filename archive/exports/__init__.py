"""The corpus for people who do not use Datasette: CSV, Parquet, Stata, a data package, WACZ.

    exports.toml → tables (what, with which keys) → one module per format → a folder, whole or not there

Rows are read once, in the order of their keys, and written as they come: memory does not grow with the corpus.
"""
