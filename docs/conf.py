"""Sphinx settings. generate.py makes the pages of the methods and of the API before Sphinx runs; nothing is fetched."""

import re
from importlib.metadata import version as installed_version

project = "restora"
author = "The restora developers"
copyright = "2026, the restora developers"
release = installed_version("restora")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
add_module_names = False
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are described with their class, not as targets of their own
suppress_warnings = ["ref.python"]  # a name that two modules define, in an annotation that is not evaluated

exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "restora"


def mark_up(app, what, name, obj, options, lines):
    """Render what docstrings write plainly: indented equations keep their lines, and |x| is an absolute value.

    In reStructuredText the first would be a quotation and the second a substitution.
    """
    marked, literal, last = [], False, ""
    for line in lines:
        indented = line.startswith("    ")
        if indented and not literal and marked and not marked[-1].strip() and last[:1] not in " -.:0123456789":
            marked += ["::", ""]
            literal = True
        elif line.strip() and not indented:
            literal = False
        marked.append(line if literal else _escaped(line))
        last = line if line.strip() else last
    lines[:] = marked


def _escaped(line):
    parts = re.split(r"(``.*?``)", line)
    return "".join(part if part.startswith("``") else part.replace("|", r"\|") for part in parts)


plain = {}


def keep_plain(app, what, name, obj, options, lines):
    """Remember the docstring of a variable: napoleon would take what stands before a colon for its type."""
    if what in ("data", "attribute"):
        plain[name] = list(lines)


def take_plain(app, what, name, obj, options, lines):
    lines[:] = plain.pop(name, lines)


def setup(app):
    app.connect("autodoc-process-docstring", keep_plain, priority=100)
    app.connect("autodoc-process-docstring", take_plain, priority=600)
    app.connect("autodoc-process-docstring", mark_up, priority=700)
