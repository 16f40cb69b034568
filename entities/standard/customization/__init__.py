"""Customization: how tables, columns, relationships, keys and choices are made, changed and removed by messages."""
