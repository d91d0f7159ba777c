"""The stack on one machine: embedded servers, their supervisor, the demo."""
