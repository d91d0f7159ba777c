"""The rules of schedules (docs/reference/definitions.md): pure, no I/O, no clock of their own."""
