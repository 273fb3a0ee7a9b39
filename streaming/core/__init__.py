"""What the streams of every domain share: both lanes, parsing, quarantine, the registry."""
