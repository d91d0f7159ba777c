"""What people are told, to whom, and when it is tried again: decisions without I/O."""
