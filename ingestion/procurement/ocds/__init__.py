"""OCDS, the Open Contracting Data Standard: its files read, merged, and put into the words of the silver tables."""
