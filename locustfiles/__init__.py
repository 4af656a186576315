"""The users, run by locust in an environment of its own; nothing here imports the harness."""
