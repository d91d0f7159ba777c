"""One function per command that the runner hears."""
