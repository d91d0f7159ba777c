"""Plain HTML forms for people: signing in and out, and the command line's login."""
