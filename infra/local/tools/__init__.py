"""What is downloaded or built once: Java, jars, binaries, environments."""
