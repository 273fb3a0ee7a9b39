"""What plays the outside world for the demo and for tests."""
