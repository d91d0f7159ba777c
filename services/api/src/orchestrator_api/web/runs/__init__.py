"""The page of a run and what can be done with it."""
