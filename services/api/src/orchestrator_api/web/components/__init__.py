"""Pages about the components of the installation."""
