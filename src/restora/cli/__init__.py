"""The command line: thin, it reads the catalog and calls the front door."""
