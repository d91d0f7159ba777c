"""Plain HTML forms for people: signing in and out, links that set a password, the command line's login."""
