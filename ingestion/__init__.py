"""What brings events in: a package a domain, with its sources, and what all sources share."""
