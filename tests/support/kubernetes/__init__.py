"""A Kubernetes API for tests, built on what a real one answered."""
