"""What a person sees while a run goes on: a state, its text, and who owns the console."""
