"""What `talentverse export` writes, and how it gets out of an environment."""
