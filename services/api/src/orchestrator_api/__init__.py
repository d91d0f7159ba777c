"""The api service: HTTP for people, programs and the command line."""
