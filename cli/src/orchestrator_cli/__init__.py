"""The command line: API client, definitions, migrations."""
