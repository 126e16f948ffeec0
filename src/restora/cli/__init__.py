"""The command line: reads the catalog, calls the front door, talks to a person or in JSON."""

from restora.cli.entry import main as main
