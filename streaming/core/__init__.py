"""What is the same for every domain: the lanes, their queries and what they keep."""
