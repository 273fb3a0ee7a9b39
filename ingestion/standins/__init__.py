"""Stand-ins of outside services: the same paths, envelopes, limits and faults, served on loopback from a seeded world."""
