"""Pages for administrators about the accounts of the installation."""
