"""Executors run components: one port, and one folder per executor behind it."""
