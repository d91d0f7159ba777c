"""Private servers and services of a stack that runs on one machine without containers."""
