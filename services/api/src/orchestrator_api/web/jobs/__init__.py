"""The jobs of a project: the queue with its lanes, all jobs with their search, and the page of one."""
