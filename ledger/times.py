"""Wall-clock times of a ledger as instants."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ledger.mapping import Times
from ledger.refusals import Refused


def instant(text: str, times: Times, *, latest: bool = False) -> datetime:
    """In UTC. An hour that the clocks showed twice is read as the first, or with `latest` as the second.

    Refused for what fits no format, and for a time that the clocks skipped.
    """
    local = _parsed(text, times.formats)
    if local.tzinfo is not None:
        return _utc(local, text)
    zone = ZoneInfo(times.zone)
    at = _utc(local.replace(tzinfo=zone, fold=int(latest)), text)
    if at.astimezone(zone).replace(tzinfo=None) != local:
        raise Refused("time_impossible", text)
    return at


def _parsed(text: str, formats: tuple[str, ...]) -> datetime:
    plain = text if text.isascii() else text.replace("上午", "AM").replace("下午", "PM")
    for form in formats:
        try:
            return datetime.strptime(plain, form)  # noqa: DTZ007 - the zone is the caller's
        except ValueError:
            continue
    raise Refused("time_unreadable", text)


def _utc(at: datetime, text: str) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Refused("time_unreadable", text) from None
