"""The open data service of goszakup.gov.kz, played from a seeded world.

``python -m standins.goszakup --help`` says how.
"""
