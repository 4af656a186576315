"""A run for other people's tools: one file a format, each gives text or bytes and writes nothing.

All read the content of latest.json, as ``bench/report/document.py`` makes it, so a figure is the
same wherever it is met. One that is withheld is absent or null, with its bound apart; never 0.
"""
