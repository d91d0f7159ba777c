"""The keeper: a small process that starts the replica's tasks and ends them when their lease ends.

It imports only the standard library and its own folder, so that it starts fast and stays small.
"""
