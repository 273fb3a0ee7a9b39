"""What brings events in: one file a source, the publisher they share, and the simulator."""
