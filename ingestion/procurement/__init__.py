"""The client of goszakup, the state register of public procurement: registers, dictionaries and what changed in them."""
