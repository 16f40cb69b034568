"""The doors: HTTP requests become messages, answers become HTTP."""
