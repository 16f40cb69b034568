"""Data providers: what stands behind virtual tables."""
