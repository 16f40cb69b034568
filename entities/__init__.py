"""What an environment is: metadata, values, queries, messages, rules. The ground floor: no I/O, no framework."""
