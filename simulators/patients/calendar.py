"""Days as patients live them: from midnight to midnight in Amsterdam, in microseconds since 1970."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models.clock import to_us

HOME = ZoneInfo("Europe/Amsterdam")


def midnight_us(start: date, day: int) -> int:
    """When the given day after `start` begins at the patients' homes."""
    return to_us(datetime.combine(start + timedelta(days=day), time(), HOME))


def offset_min(start: date, day: int) -> int:
    """How far the clocks at home are ahead of UTC at noon of that day. **Units**: minutes."""
    away = datetime.combine(start + timedelta(days=day), time(12), HOME).utcoffset()
    return 0 if away is None else away // timedelta(minutes=1)
