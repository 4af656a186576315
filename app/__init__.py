"""The application under test, and the probe that watches it from inside.

It runs in the server's environment: nothing here may import the harness.
"""
