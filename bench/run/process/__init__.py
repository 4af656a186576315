"""Child processes: started, watched and ended; and how this process is ended itself."""
