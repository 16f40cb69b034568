"""Dynamics 365 Human Resources: its tables, roles and rules, as declarations and pure functions."""
