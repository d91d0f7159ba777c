"""The loop that turns what happened into what comes next."""
