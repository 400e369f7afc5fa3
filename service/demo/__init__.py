"""
Replay real Seattle calls against a running service, and report what it recommended.

It shows what a call type alone can say, which is little. It must not judge the router: no fact was
asked, nobody was spoken to, and how police closed a call is no right answer.

>>> call = SeattleCall("2024000131882", "2024-05-15", "ONVIEW", 3, "TRESPASS", "PROWLER - TRESPASS")
>>> request_of(call)["incident_type"]
{'registry': 'seattle', 'code': 'TRESPASS'}
"""

from service.demo.answers import Ask, OnProgress, Replayed, http_ask, replay
from service.demo.calls import SeattleCall, read_calls, request_of
from service.demo.figures import report

__all__ = [
    "Ask",
    "OnProgress",
    "Replayed",
    "SeattleCall",
    "http_ask",
    "read_calls",
    "replay",
    "report",
    "request_of",
]
