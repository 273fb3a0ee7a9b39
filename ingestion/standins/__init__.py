"""Stand-ins of outside services: the same paths, envelopes, limits and faults, on loopback, from a seeded world."""
