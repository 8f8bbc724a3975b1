"""Pages whose tables are written by a program, between marks, and whose prose is written by hand."""

from collections.abc import Mapping


def with_tables(page: str, found: Mapping[str, str]) -> str:
    """The page with what stands between its marks, ``<!-- name -->`` and ``<!-- end of name -->``, replaced.

    Raises:
        ValueError: a mark is missing, or stands there twice.
    """
    for name, content in found.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{content}\n{end}{after}"
    return page
