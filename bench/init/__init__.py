"""A first file for an application of one's own, by looking at it (`nox -s init -- PATH`).

``find`` reads its sources for what makes the application, ``ask`` imports it in an environment of
its own and asks it for its routes, ``write`` makes the file, and says what it could not guess.
"""
