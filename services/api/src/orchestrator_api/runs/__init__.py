"""Starting, retrying and ending runs, and looking at jobs."""
