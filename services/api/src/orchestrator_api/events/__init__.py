"""Live events: changes of jobs and new log text, pushed to open streams."""
