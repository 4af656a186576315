"""A small shop: FastAPI and SQLite, as people have it."""
