"""Markdown of a protocol as HTML that is safe to put on a page."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict


def safe_html(markdown: str) -> str:
    """CommonMark with tables as HTML.

    Raw HTML is shown as text, of a picture only its description is left (it would tell
    another server who reads), and links open in a new tab without a referrer; schemes
    that run script are refused by the parser.
    """
    return str(_PARSER.render(markdown))


def _link_open(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, env)


def _image_in_words(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    return renderer.renderInlineAsText(tokens[index].children, options, env)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _image_in_words)
    return parser


_PARSER = _parser()
