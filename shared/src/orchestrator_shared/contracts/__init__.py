"""The messages between services: the only definition, from which schemas and documents are generated."""
