"""The simulated world and its purchases."""
