"""A page as the server sends it: every frame of Streamlit's websocket, without a browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

_WITHIN_S = 30.0


@dataclass(frozen=True)
class PageFrames:
    """One run of one page.

    Args:
        frames: as they came, undone of the websocket's own compression.
    """

    frames: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """All of them as text: in a protobuf message strings stand as they are."""
        return b"\n".join(self.frames).decode("utf-8", "replace")

    def elements(self) -> Iterator[Element]:
        """What is put on the page, in order."""
        for frame in self.frames:
            message = ForwardMsg()
            message.ParseFromString(frame)
            if message.WhichOneof("type") == "delta" and message.delta.HasField("new_element"):
                yield message.delta.new_element

    def filled(self, label: str, value: str | bool) -> WidgetState:
        """A field of this label with a value in it, or a button of this label pressed."""
        for element in self.elements():
            kind = element.WhichOneof("type")
            if kind is None or getattr(getattr(element, kind), "label", None) != label:
                continue
            widget = getattr(element, kind)
            if kind == "button":
                return WidgetState(id=widget.id, trigger_value=True)
            if isinstance(value, bool):
                return WidgetState(id=widget.id, bool_value=value)
            return WidgetState(id=widget.id, string_value=value)
        raise AssertionError(f"nothing on the page is called {label!r}")

    def choices(self) -> list[WidgetState]:
        """Everything that can be chosen outside a form: each switch turned, then each option of each list."""
        found, listed_options = [], list[WidgetState]()
        for element in self.elements():
            match element.WhichOneof("type"):
                case "selectbox" if not element.selectbox.form_id:
                    listed = element.selectbox
                    listed_options += [
                        WidgetState(id=listed.id, string_value=option)
                        for place, option in enumerate(listed.options)
                        if place != listed.default
                    ]
                case "checkbox" if not element.checkbox.form_id:
                    switch = element.checkbox
                    found.append(WidgetState(id=switch.id, bool_value=not switch.default))
                case "button_group" if not element.button_group.form_id:
                    group = element.button_group
                    for option in group.options:
                        state = WidgetState(id=group.id)
                        state.string_array_value.data.append(option.content)
                        found.append(state)
        return found + listed_options


class Visit:
    """An open page.

    Args:
        socket: to the server.
        asked: what the page was asked for with.
    """

    def __init__(self, socket: ClientConnection, asked: BackMsg) -> None:
        self._socket = socket
        self._asked = asked
        self._states: dict[str, WidgetState] = {}

    def run(self, *choices: WidgetState) -> PageFrames:
        """Run the page with what was chosen so far and these."""
        # A press is told once, a choice as long as the page is open.
        self._states = {name: state for name, state in self._states.items() if not state.trigger_value}
        self._states |= {choice.id: choice for choice in choices}
        del self._asked.rerun_script.widget_states.widgets[:]
        self._asked.rerun_script.widget_states.widgets.extend(self._states.values())
        self._socket.send(self._asked.SerializeToString())
        frames = []
        while True:
            frame = self._socket.recv(timeout=_WITHIN_S)
            assert isinstance(frame, bytes)
            frames.append(frame)
            message = ForwardMsg()
            message.ParseFromString(frame)
            has_finished = message.WhichOneof("type") == "script_finished"
            # A page that asks to be run again is not whole yet.
            if has_finished and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return PageFrames(tuple(frames))


@contextmanager
def visit(url: str, path: str, cookies: Mapping[str, str]) -> Iterator[Visit]:
    """Open a page as a browser does.

    Args:
        url: of the server.
        path: of the page, with its query.
        cookies: the browser's.
    """
    name, _, query = path.strip("/").partition("?")
    asked = BackMsg()
    asked.rerun_script.page_name = name
    asked.rerun_script.query_string = query
    asked.rerun_script.context_info.url = f"{url}/{path.strip('/')}"
    asked.rerun_script.context_info.timezone = "UTC"
    headers = {"Origin": url, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    with connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        additional_headers=headers,
        subprotocols=[Subprotocol("streamlit")],
        open_timeout=_WITHIN_S,
        max_size=None,
        proxy=None,
    ) as socket:
        yield Visit(socket, asked)


def frames_of(url: str, path: str, cookies: Mapping[str, str]) -> PageFrames:
    """Open a page, and take down what comes until it is whole."""
    with visit(url, path, cookies) as opened:
        return opened.run()
