"""The Entra-style token authority: tenants, app registrations, signing keys, grants and tokens."""
