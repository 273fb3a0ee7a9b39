"""What contracts of several domains share."""
