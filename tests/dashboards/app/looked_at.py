"""A researcher's page, run without a browser, and what can be done on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from streamlit.testing.v1 import AppTest

from dashboards.researcher.pages import PAGES


def page_script(url_path: str) -> str:
    """A script that shows one page."""
    page = next(page for page in PAGES if page.url_path == url_path)
    return f"from dashboards.researcher import {page.module}\n{page.module}.show()"


@dataclass(frozen=True)
class Page:
    """One run of a page, and what to do on it."""

    at: AppTest

    @property
    def markup(self) -> str:
        return "\n".join(element.proto.body for element in self.at.get("html"))

    @property
    def text(self) -> str:
        """What stands on the page: every box of markup without its tags, and every label."""
        words = unescape(re.sub(r"<[^>]+>", " ", self.markup))
        labels = [box.label for box in self.at.selectbox]
        labels += [button.label for button in self.at.button] + [toggle.label for toggle in self.at.toggle]
        return " ".join([words, *labels])

    def press(self, label: str, place: int = 0) -> Page:
        found = [button for button in self.at.button if button.label == label]
        found[place].click().run()
        assert not self.at.exception
        return self

    def choose(self, label: str, value: str) -> Page:
        next(box for box in self.at.selectbox if box.label == label).select(value)
        return self

    def write(self, label: str, value: str) -> Page:
        fields = [*self.at.text_input, *self.at.text_area]
        next(field for field in fields if field.label == label).set_value(value)
        return self

    def run(self) -> Page:
        self.at.run()
        assert not self.at.exception
        return self
