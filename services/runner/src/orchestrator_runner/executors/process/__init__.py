"""Components that are programs of this host, run through the keeper."""
