"""Collecting from goszakup.gov.kz: its registers, dictionaries and journal of changes."""
