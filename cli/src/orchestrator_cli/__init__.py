"""The command line: API client, definitions, local stack."""
