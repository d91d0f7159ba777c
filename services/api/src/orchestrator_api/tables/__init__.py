"""Table updates over HTTP, tables heard of, and shared buckets."""
