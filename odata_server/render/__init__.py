"""From answers to bytes: rows, envelopes, links and errors of every projection."""
