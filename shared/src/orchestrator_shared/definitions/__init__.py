"""What people write in YAML: the documents, their models, and every problem with its place."""
