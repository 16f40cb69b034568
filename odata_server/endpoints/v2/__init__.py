"""The door of the Organization Data Service."""
