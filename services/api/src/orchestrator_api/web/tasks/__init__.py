"""The tasks editor: a board of phases, whose draft lives on the server."""
