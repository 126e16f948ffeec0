"""Every method has its page, and says in its file all that the page needs."""

import doctest
from pathlib import Path

import generate
import pytest

from restora import catalog


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_every_method_has_its_page(entry):
    page = generate.Page.of(entry)
    assert set(page.sections) - set(generate.OPTIONAL) == set(generate.SECTIONS)
    assert all(page.sections.values())
    text = page.text()
    headings = [
        "What it solves",
        "Model",
        "Algorithm",
        "Parameters",
        "Published and ours",
        "Time and memory",
        "Departures from the original",
        "When not to use it",
        "Example",
        "References",
    ]
    places = [text.index(f"\n{heading}\n---") for heading in headings]
    assert places == sorted(places)


def test_the_examples_of_the_plan_print_what_the_page_says():
    page = Path(generate.ROOT) / "docs" / "plan.rst"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert (failed, tried > 5) == (0, True)
