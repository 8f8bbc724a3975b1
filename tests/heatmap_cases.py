"""Pages of texts in colour, read again."""

from __future__ import annotations

import json
from html.parser import HTMLParser

VOID = {"meta"}


class Parsed(HTMLParser):
    """What a page holds, with every element closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = self.data = ""
        self.cells: list[str] = []
        self.classes: list[str] = []
        self.in_data = False
        self.attributes: list[tuple[str, str | None]] = []
        # What every browser does first.
        self.feed(page.replace("\r\n", "\n").replace("\r", "\n"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.attributes += attrs
        if tag == "i" and "main" in self.open:
            self.cells.append("")
            self.classes.append(str(dict(attrs)["class"]))
        if tag not in VOID:
            self.open.append(tag)
        self.in_data = ("id", "data") in attrs

    def handle_endtag(self, tag: str) -> None:
        """The one that began last ends."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text stands in the last one."""
        if "main" in self.open:
            self.text += data
            if "i" in self.open:
                self.cells[-1] += data
        elif self.in_data and self.open[-1] == "script":
            self.data += data

    @property
    def names(self) -> list[str]:
        """The names of the tokens that pointing at the cells shows, one after another."""
        found = json.loads(self.data)
        return [found["names"][entry[0]] for entry in found["tokens"]]
