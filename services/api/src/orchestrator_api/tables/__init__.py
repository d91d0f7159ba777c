"""Table updates over HTTP, known tables, and shared buckets."""
