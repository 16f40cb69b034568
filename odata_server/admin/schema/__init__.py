"""Schema files: definitions of tables as JSON, metadata documents and solutions, read into an environment's catalog."""
