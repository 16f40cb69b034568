"""Formulas of calculated columns: their text, what they mean, and whether they fit a table."""
