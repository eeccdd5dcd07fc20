"""The time now, in any zone of the IANA time zone database."""

import difflib
import zoneinfo
from datetime import UTC, datetime
from functools import cache
from typing import Annotated

from pydantic import BaseModel, Field

from service.tools.registry import ToolFailure, tool


class Moment(BaseModel):
    """A point in time."""

    timestamp: str = Field(description="ISO 8601 with offset.", examples=["2026-11-22T09:30:00+01:00"])
    timezone: str = Field(description="Name in the IANA time zone database.", examples=["Europe/Berlin"])
    unix: int = Field(description="Seconds since 1970-01-01T00:00:00Z.", examples=[1795336200])


@cache
def _zones() -> dict[str, str]:
    """Zone names by their lower-case form; reading them from disk is slow."""
    return {name.lower(): name for name in zoneinfo.available_timezones()}


def _zone(name: str) -> zoneinfo.ZoneInfo:
    # Only a listed name reaches ZoneInfo, which turns names into paths.
    if found := _zones().get(name.lower()):
        return zoneinfo.ZoneInfo(found)
    near = difflib.get_close_matches(name.lower(), _zones(), n=3)
    last_part = [full for lower, full in sorted(_zones().items()) if lower.rpartition("/")[2] == name.lower()]
    guess = " or ".join(list(dict.fromkeys([*last_part, *(_zones()[match] for match in near)]))[:3])
    hint = f"did you mean {guess}?" if guess else "for example UTC, Europe/Berlin or America/New_York."
    raise ToolFailure(f"There is no time zone of that name: {hint} Names are those of https://www.iana.org/time-zones")


@tool(scopes=("mcp:read",), title="Timestamp", example={"timezone": "Europe/Berlin"})
async def timestamp(
    timezone: Annotated[
        str, Field(description="IANA time zone, such as UTC or Europe/Berlin.", min_length=1, max_length=64)
    ] = "UTC",
) -> Moment:
    """Return the time now in a time zone."""
    zone = _zone(timezone)
    now = datetime.now(UTC)
    local = now.astimezone(zone)
    return Moment(timestamp=local.isoformat(timespec="seconds"), timezone=zone.key, unix=int(now.timestamp()))
