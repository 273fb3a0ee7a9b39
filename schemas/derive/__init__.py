"""One file a target: what is derived from a contract."""
