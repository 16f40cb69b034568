"""The organization's data in SQLite."""
