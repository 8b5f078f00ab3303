"""What routes and pages share while one study is served: held here once, for one process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.server.lease import Leases
from study.founding import Study

if TYPE_CHECKING:
    from dashboards.server.live_rendering import LiveRendering
    from dashboards.server.playback_writer import PlaybackWriter
    from study.access.accounts import Accounts


@dataclass(frozen=True)
class Served:
    """The study that this process serves, and what it serves it with.

    Args:
        is_secure: whether browsers reach it by TLS, so that cookies are marked Secure.
        leases: which tab of each person may answer.
        renderer: makes the sessions that are due; None where nothing is rendered here.
        playback: writes the players' logs; None where nobody listens here.
        accounts: of staff; None where nobody can log in.
        hosts: names and addresses that browsers may call this server by; empty for any.
        proxies: addresses whose word on scheme and client is believed; every request must
            then come from one of them, by https.
        is_kiosk: whether every device is a tablet that people share.
        site: that everybody enrolled here belongs to; None where staff choose it.
    """

    study: Study
    is_secure: bool
    leases: Leases = field(default_factory=Leases)
    renderer: LiveRendering | None = None
    playback: PlaybackWriter | None = None
    accounts: Accounts | None = None
    hosts: frozenset[str] = frozenset()
    proxies: frozenset[str] = frozenset()
    is_kiosk: bool = False
    site: str | None = None


class _Holder:
    served: Served | None = None


def begin_serving(served: Served) -> None:
    """Make `served` what this process serves."""
    _Holder.served = served


def current() -> Served:
    """What this process serves.

    Raises:
        RuntimeError: nothing yet: a page was opened without `isopath serve`.
    """
    if _Holder.served is None:
        raise RuntimeError("no study is being served; start with isopath serve STUDY")
    return _Holder.served
