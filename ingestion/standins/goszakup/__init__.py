"""The open data service of goszakup.gov.kz, played from a seeded world. Start it with ``--help`` to see how, e.g.

    python -m ingestion.standins.goszakup --lots 1000 --seed 1 --token-file token.txt
"""
