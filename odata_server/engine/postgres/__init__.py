"""The organization's data in PostgreSQL."""
