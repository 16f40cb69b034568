"""Plug-in packages: found at the start, shown as rows, run as steps and custom APIs."""
