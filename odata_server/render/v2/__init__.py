"""Answers of the Organization Data Service: verbose JSON and Atom."""
