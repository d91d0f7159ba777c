"""The rules of event triggers (docs/explanation/heard-and-used.md): pure, no I/O, no clock of their own."""
