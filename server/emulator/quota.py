"""Call limits per Beijing day and per minute, and how they are cleared."""

from __future__ import annotations

from .clock import EmulatorClock, beijing_day
from .state import Store

# Source: "API call limits" (a new service account) and each API's own page.
DAILY = {
    "/cgi-bin/token": 2000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/menu/create": 1000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/message/subscribe/send": 10_000_000,
    "/cgi-bin/message/mass/sendall": 100,
    "/cgi-bin/message/mass/preview": 100,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/media/get": 200_000,
    "/cgi-bin/draft/add": 1000,
    "/cgi-bin/draft/update": 1000,
    "/cgi-bin/draft/get": 500,
    "/cgi-bin/draft/delete": 1000,
    "/cgi-bin/draft/count": 1000,
    "/cgi-bin/draft/batchget": 1000,
    "/wxa/msg_sec_check": 2_000_000,
    "/wxa/media_check_async": 200_000,
}
MINUTE = {
    "/cgi-bin/message/mass/sendall": 60,
    "/cgi-bin/stable_token": 10_000,
    "/wxa/msg_sec_check": 4000,
    "/wxa/media_check_async": 2000,
    "/wxa/getwxacodeunlimit": 5000,
}
# Calls that are counted together with another one.
SHARED = {"/cgi-bin/message/mass/send": "/cgi-bin/message/mass/sendall"}
DEFAULT_DAILY = 10_000_000
DAY_USED_UP, TOO_FAST, SEC_CHECK_TOO_FAST, CLEARED_TOO_OFTEN = 45009, 45011, 44991, 48006
CLEARS_A_MONTH = 10


class Quota:
    """The counters of both apps, kept in the store; limits can be changed."""

    def __init__(self, store: Store, clock: EmulatorClock) -> None:
        self._store = store
        self._clock = clock
        self._daily: dict[str, int] = {}
        self._minute: dict[str, int] = {}

    def set_limits(self, path: str, *, day: int | None = None, minute: int | None = None) -> None:
        """Set a path's limits; None leaves a limit unchanged."""
        path = SHARED.get(path, path)
        if day is not None:
            self._daily[path] = day
        if minute is not None:
            self._minute[path] = minute

    def reset_limits(self) -> None:
        """Restore the published limits."""
        self._daily.clear()
        self._minute.clear()

    def daily_limit(self, path: str) -> int:
        """The daily limit of a path."""
        path = SHARED.get(path, path)
        return self._daily.get(path, DAILY.get(path, DEFAULT_DAILY))

    def minute_limit(self, path: str) -> int | None:
        """The limit of a path per minute; None when there is none."""
        path = SHARED.get(path, path)
        return self._minute.get(path, MINUTE.get(path))

    def use_call(self, appid: str, path: str) -> int:
        """Count one call; return 0, or the errcode of the exceeded limit."""
        path = SHARED.get(path, path)
        now = self._clock.now()
        minute = self.minute_limit(path)
        if minute is not None:
            bucket = f"minute:{int(now // 60)}"
            if self._calls_used(appid, path, bucket) >= minute:
                return SEC_CHECK_TOO_FAST if path == "/wxa/msg_sec_check" else TOO_FAST
            self._add_call(appid, path, bucket)
        day = beijing_day(now)
        if self._calls_used(appid, path, day) >= self.daily_limit(path):
            return DAY_USED_UP
        self._add_call(appid, path, day)
        return 0

    def used_today(self, appid: str, path: str) -> int:
        """The calls of a path on this Beijing day."""
        path = SHARED.get(path, path)
        return self._calls_used(appid, path, beijing_day(self._clock.now()))

    def clear_counters(self, appid: str) -> int:
        """Reset an app's daily counters; return 0, or an errcode when this month's resets are
        used up.
        """
        month = "month:" + beijing_day(self._clock.now())[:7]
        if self._calls_used(appid, "clear_quota", month) >= CLEARS_A_MONTH:
            return CLEARED_TOO_OFTEN
        self._store.run_sql("DELETE FROM usage WHERE appid = ? AND path != 'clear_quota'", appid)
        self._add_call(appid, "clear_quota", month)
        return 0

    def _calls_used(self, appid: str, path: str, period: str) -> int:
        sql = "SELECT used FROM usage WHERE appid = ? AND path = ? AND period = ?"
        return self._store.select_number(sql, appid, path, period)

    def _add_call(self, appid: str, path: str, period: str) -> None:
        sql = (
            "INSERT INTO usage (appid, path, period, used) VALUES (?, ?, ?, 1) "
            "ON CONFLICT (appid, path, period) DO UPDATE SET used = used + 1"
        )
        self._store.run_sql(sql, appid, path, period)
