"""What an HTML page links to and loads."""

import re
from html.parser import HTMLParser


class Links(HTMLParser):
    """The links, loaded files and anchors of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = {k: v or "" for k, v in attrs}
        self.places |= {given[k] for k in ("id", "name") if k in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loads += [given[k] for k in ("src", "srcset", "data") if k in given and tag != "a"]
        if tag == "link" and given.get("rel") not in (
            "index",
            "search",
            "next",
            "prev",
            "canonical",
        ):
            self.loads.append(given["href"])
        self.loads += re.findall(r"url\(['\"]?([^'\")]+)", given.get("style", ""))
