"""What routes and pages share while one study is served: held here once, for one process."""

from __future__ import annotations

from dataclasses import dataclass

from study.founding import Study


@dataclass(frozen=True)
class Served:
    """The study that this process serves, and what it serves it with.

    Args:
        is_secure: whether browsers reach it by TLS, so that cookies are marked Secure.
    """

    study: Study
    is_secure: bool


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
