"""The delay server (Go) and, in ``build``, what makes a program of it."""
