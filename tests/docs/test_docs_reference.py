"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_reference_is_what_the_commands_say() -> None:
    """docs/reference.md is made from the code; if this fails, ``make docs`` makes it anew."""
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == load_script("docs/make_reference.py").reference()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_named_in_the_pages_exist(page: Path) -> None:
    """A page that shows ``charlm COMMAND --option`` shows one that the command has."""
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## charlm (\w+)\n(.*?)(?=^## )", reference, re.DOTALL | re.MULTILINE))
    for line in page.read_text(encoding="utf-8").splitlines():
        for command, rest in re.findall(r"charlm (train|sample|score|eval|info)((?: [^`|]*)?)", line):
            for option in re.findall(r" (--?[a-z][a-z-]*)", rest.split("#")[0]):
                assert f"`{option}`" in sections[command], f"charlm {command} {option} in {page.name}"
