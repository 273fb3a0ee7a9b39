"""Red flags over contracting processes: a module a flag, named by its code, found by looking.

The codes, settings and results are those of OCP's Cardinal, to the last digit, so that anyone can compare. A flag is
worth a look; it proves nothing.
"""
