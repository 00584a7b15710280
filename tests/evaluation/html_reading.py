"""What the tests of reports read an HTML page with."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

from PIL import Image

VOID = {"meta", "img", "br"}


HOSTILE = "</style></p>\"'><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>&lt;"


class Page(HTMLParser):
    """What a page holds: its tags, attributes, texts; every tag must be closed in turn."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def pixels(attributes: dict[str, str | None]) -> Image.Image:
    """The picture of an img tag, of the format and size that it names."""
    kind, data = re.fullmatch(r"data:image/(png|jpeg);base64,(.+)", attributes["src"]).groups()
    picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
    picture.load()
    assert picture.format.lower() == kind
    assert picture.size == (int(attributes["width"]), int(attributes["height"]))
    return picture
