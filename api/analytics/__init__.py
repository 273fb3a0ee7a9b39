"""Questions about what the nightly jobs made: one path for each question that a domain declares."""
