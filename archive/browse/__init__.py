"""Datasette over corpus.db: from a report to its cells, from a cell to the archived bytes.

    datasette.yml → codebook → metadata, configuration, docs/data.md
    request → plugin (routes) → pages → queries (rows), payload (bytes), layout (tables) → templates
            → provenance (a fact), sums → places (documents drawn by whoever serves) → a sandboxed frame
    response → formulas (CSV), headers (policies)

Everything is read-only and nothing comes from other hosts.
"""
