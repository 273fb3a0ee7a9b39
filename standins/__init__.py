"""What plays the outside world, for demonstrations and tests: a package a service, and the simulator's world."""
