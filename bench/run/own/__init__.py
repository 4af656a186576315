"""What a trial of a person's own application needs beyond one of ours.

``environ`` is what its processes get, ``commands`` runs what its file asks for around a run and a
trial, ``first`` asks each kind of request once before the load.
"""
