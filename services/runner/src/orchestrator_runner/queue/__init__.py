"""Jobs from request to end: lanes, claims, steps, leases, recovery, each with its SQL."""
