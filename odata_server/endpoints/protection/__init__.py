"""Service protection: how much one user may ask of this host within five minutes, and what is left of it."""
