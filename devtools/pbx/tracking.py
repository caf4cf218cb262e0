"""Dynamic call tracking: who visits the company's site (``mango-api.md`` 6.7a)."""

from datetime import datetime, timedelta, timezone

from .refusals import required

MOSCOW = timezone(timedelta(hours=3))
DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
#: kinds of tracking numbers, the ``type`` of ``dct``
DYNAMIC, STATIC = 1, 2


class Tracking:
    """Returns the visitor to whom a tracking number is shown, during their call."""

    def __init__(self, exchange):
        self._exchange = exchange

    def info(self, params):
        """``queries/user_info_by_dct_number``: ``{}`` for an unknown visitor."""
        visitor = self._visitor(required(params, "number"))
        return visitor["info"] if visitor else {}

    def history(self, params):
        """``queries/user_history_by_dct_number``: the pages visited, oldest first."""
        visitor = self._visitor(required(params, "number"))
        if not visitor:
            return []
        now = datetime.fromtimestamp(self._exchange.clock.now(), MOSCOW)
        return [
            {
                **page,
                "date": (now + timedelta(seconds=page["date"])).strftime(DATE_FORMAT),
            }
            for page in visitor["history"]
        ]

    def _visitor(self, number):
        if not any(self._is_tracked(call, number) for call in self._exchange.calls):
            return None
        visitors = self._exchange.company.visitors
        return next((v for v in visitors if v["number"] == number), None)

    @staticmethod
    def _is_tracked(call, number):
        dct = call.dct or {}
        return dct.get("type") == DYNAMIC and dct.get("number") == number
