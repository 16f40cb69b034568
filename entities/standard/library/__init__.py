"""The standard library of tables: declarations as text, one line per column."""
