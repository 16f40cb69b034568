"""The engine: database, schema, compiler and the stores that need SQL."""
