"""What `talentverse import` reads, and how it gets into an environment."""
