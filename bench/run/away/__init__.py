"""Load generators on other machines, over the system's own ssh."""
