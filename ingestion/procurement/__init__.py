"""The client of goszakup, the state register of procurement: its registers, dictionaries and changes."""
