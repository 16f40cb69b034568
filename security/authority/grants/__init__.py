"""The grants: one module for each way to get a token, and the registry that finds it by its `grant_type`."""
