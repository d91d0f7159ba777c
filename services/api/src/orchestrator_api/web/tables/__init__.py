"""Tables that updates are heard of, and the buckets that projects share."""
