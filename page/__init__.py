"""The report page and the README's chart, from reports/latest.json alone.

Runs in an environment of its own (``requirements/report.txt``): the harness that measures
stays light, and a matrix whose page can't be made still has all its other reports. Of
``bench`` it imports only what needs no package: how numbers and places are worded.
"""
