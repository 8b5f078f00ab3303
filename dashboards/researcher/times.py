"""Moments as the person at the browser reads them: in their own zone, which is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def zone() -> tzinfo:
    """The browser's time zone; UTC where it does not say."""
    named = st.context.timezone
    try:
        return ZoneInfo(named) if named else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def zone_words(now: datetime) -> str:
    """``Times are in Europe/Berlin (UTC+01:00).``"""
    here = zone()
    offset = f"{now.astimezone(here):%z}"
    name = getattr(here, "key", "UTC")
    return "Times are in UTC." if name == "UTC" else f"Times are in {name} (UTC{offset[:3]}:{offset[3:5]})."


def moment(at: datetime) -> str:
    """``22 Nov 2026, 21:23``."""
    local = at.astimezone(zone())
    return f"{local.day} {local:%b %Y, %H:%M}"


def clock_time(at: datetime) -> str:
    """``21:23``."""
    return f"{at.astimezone(zone()):%H:%M}"


def day(on: date) -> str:
    """``22 Nov 2026``."""
    return f"{on.day} {on:%b %Y}"


def is_today(at: datetime, now: datetime) -> bool:
    """Whether two moments lie on one day of the browser's zone."""
    return at.astimezone(zone()).date() == now.astimezone(zone()).date()
