"""The rules of schedules (PRODUCT section 4): pure, no I/O, no clock of their own."""
