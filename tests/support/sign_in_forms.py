"""A browser without scripts: it reads the form of a sign-in page and fills it in."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """The first form of a page: where it leads and what it sends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.values: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "form":
            self.action = found.get("action") or ""
        if tag == "input" and found.get("name"):
            self.values[str(found["name"])] = found.get("value") or ""

    def handle_data(self, data: str) -> None:
        self.text += data
