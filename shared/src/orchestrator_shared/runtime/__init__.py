"""How a service lives: settings, logs, health, supervision, shutdown."""
