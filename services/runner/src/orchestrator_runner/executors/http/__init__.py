"""Components that are behind HTTP."""
