"""Walks pages as somebody does who looks everywhere: each page, each choice on it, each link, each file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import httpx
from playwright.sync_api import BrowserContext, Page, Response, WebSocket

from tests.dashboards.app.arm_leaks import Shown
from tests.dashboards.app.page_frames import PageFrames, visit

#: The protocol's own pages: they name arms, and nobody.
ABOUT_DESIGN = frozenset({"protocol", "editor"})

_LINK = re.compile(r"""(?:href|src)=["'](/(?!/)[^"'#]*)["']|"(/(?:api|media)/[^"\\\s]+)""")
#: Streamlit's own scripts, the same for every study.
_NOT_OURS = ("/static/", "/_stcore/", "/favicon")

# Rendered words through every shadow root, and what a pointer or a screen reader would be told.
_RENDERED = """() => {
  const told = [document.title, location.href];
  const walk = root => {
    for (const at of root.querySelectorAll("*")) {
      if (["SCRIPT", "STYLE"].includes(at.tagName)) continue;
      for (const attribute of at.attributes) told.push(attribute.value);
      for (const child of at.childNodes) if (child.nodeType === 3) told.push(child.data);
      if (at.shadowRoot) walk(at.shadowRoot);
    }
  };
  walk(document);
  return told.join("\\n");
}"""


def sent(url: str, pages: Iterable[str], cookies: Mapping[str, str]) -> list[Shown]:
    """Everything the server sends for these pages: frames for every choice, and every link's answer."""
    shown, links = [], dict[str, str]()
    for page in pages:
        for frames in _every_choice(url, page, cookies):
            shown.append(Shown("frames", page, b"\n".join(frames.frames), page in ABOUT_DESIGN))
            links |= dict.fromkeys(links_in(frames.text), page)
    with httpx.Client(base_url=url, cookies=dict(cookies), timeout=60) as client:
        ours = [link for link in links if not re.match("/staff/log-out|/(?:static|_stcore)/", link)]
        return shown + [_answer(client.get(link)) for link in ours]


def links_in(text: str) -> Iterator[str]:
    """Every address of ours that a text leads to."""
    for match in _LINK.finditer(text):
        yield match[1] or match[2]


def _every_choice(url: str, page: str, cookies: Mapping[str, str]) -> Iterator[PageFrames]:
    with visit(url, page, cookies) as opened:
        latest = opened.run()
        yield latest
        seen: set[bytes] = set()
        waiting = latest.choices()
        while waiting:
            # What shows only under a choice is chosen before another choice hides it.
            choice = waiting.pop(0)
            told = choice.SerializeToString()
            if told not in seen:
                seen.add(told)
                latest = opened.run(choice)
                yield latest
                waiting = [*latest.choices(), *waiting]


def _answer(response: httpx.Response) -> Shown:
    head = f"{response.request.url}\n{response.headers}".encode()
    is_file = response.headers.get("content-disposition", "").startswith("attachment")
    channel = "export" if is_file else "response"
    if is_file:
        return Shown(channel, str(response.request.url), response.content)
    return Shown(channel, str(response.request.url), head + b"\n\n" + response.content)


class Watching:
    """A real browser's tab, with everything noted that reaches it."""

    def __init__(self, context: BrowserContext) -> None:
        self.shown: list[Shown] = []
        self._where = ""
        self._page = context.new_page()
        self._page.on("websocket", self._listen)
        self._page.on("response", self._note_response)

    @property
    def page(self) -> Page:
        """The tab."""
        return self._page

    def look(self, url: str, path: str, until: str) -> None:
        """Open a page and note what it shows, in words and in tooltips.

        Args:
            until: a CSS selector that stands on the whole page.
        """
        self._where = path
        self._page.goto(f"{url}/{path}")
        self._page.wait_for_selector(until, timeout=30_000)
        self.note()

    def note(self) -> None:
        """Note what stands on the page now."""
        rendered = self._page.evaluate(_RENDERED)
        self.shown.append(Shown("page", self._where, rendered.encode(), self._where in ABOUT_DESIGN))

    def _listen(self, socket: WebSocket) -> None:
        where = self._where

        def note(payload: str | bytes) -> None:
            body = payload.encode() if isinstance(payload, str) else payload
            self.shown.append(Shown("frames", where, body, where in ABOUT_DESIGN))

        socket.on("framereceived", note)
        socket.on("framesent", note)

    def _note_response(self, response: Response) -> None:
        path = re.sub(r"^https?://[^/]+", "", response.url)
        if path.startswith(_NOT_OURS):
            return
        has_body = response.status == 200 and response.request.resource_type != "websocket"
        body = response.body() if has_body else b""
        head = f"{response.url}\n{response.headers}".encode()
        self.shown.append(Shown("response", response.url, head + b"\n\n" + body))
