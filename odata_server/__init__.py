"""Protocol, engine, pages and command line: the server, and the composition root."""
