"""Definitions in request bodies: JSON to tables, columns, relationships, keys and choices."""
