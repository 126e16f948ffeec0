"""Sphinx settings. The pages of the methods are made by generate.py before Sphinx runs; nothing is fetched."""

from importlib.metadata import version as installed_version

project = "restora"
author = "The restora developers"
copyright = "2026, the restora developers"
release = installed_version("restora")

exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "restora"
