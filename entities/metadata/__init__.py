"""Metadata as values: tables, columns, choices, relationships, keys and the catalog that holds them."""
