"""Pages about projects: all of them, and the settings of one."""
