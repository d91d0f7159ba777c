"""One's own account: how one sees the pages, password, sessions, logins of the command line."""
