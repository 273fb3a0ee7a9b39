"""Public procurement: the registers of goszakup, and files of the Open Contracting Data Standard."""
