"""How each shape of table is read: lines of cells in, rows with their values out."""
