"""A page as the server sends it: every frame of Streamlit's websocket, without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
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


def frames_of(url: str, path: str, cookies: Mapping[str, str]) -> PageFrames:
    """Open a page as a browser does, and take down what comes until it is whole.

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
    frames = []
    with connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        additional_headers=headers,
        subprotocols=[Subprotocol("streamlit")],
        open_timeout=_WITHIN_S,
        max_size=None,
        proxy=None,
    ) as socket:
        socket.send(asked.SerializeToString())
        while True:
            frame = socket.recv(timeout=_WITHIN_S)
            assert isinstance(frame, bytes)
            frames.append(frame)
            message = ForwardMsg()
            message.ParseFromString(frame)
            has_finished = message.WhichOneof("type") == "script_finished"
            # A page that asks to be run again is not whole yet.
            if has_finished and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return PageFrames(tuple(frames))
