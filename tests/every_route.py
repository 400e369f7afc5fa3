"""
What each route of the service needs: the one table that the walk of all routes is judged by.

A new route gets a line here, and nothing else. Who may do an act stands in `service/access.py`.
"""

from typing import Final

from service.access import (
    ADD_SCENARIOS,
    DECIDE,
    MANAGE_AGENCY,
    MANAGE_PEOPLE,
    READ_ALERTS,
    READ_AUDIT,
    READ_CALLS,
    READ_PEOPLE,
    READ_REVIEWS,
    READ_STATE,
    REPORT_DISPATCH,
    REVIEW,
    SETTLE_ALERTS,
    SIMULATE,
)

OPEN: Final = "open to everybody"
SIGNED_IN: Final = "open to everybody who is signed in"

# Routes of the JSON API, judged by a key.
API: Final[dict[str, str]] = {
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
    "GET /v1/openapi.json": OPEN,
    "POST /v1/decisions": DECIDE,
    "GET /v1/decisions": READ_CALLS,
    "GET /v1/decisions/<record_id>": READ_CALLS,
    "POST /v1/decisions/<record_id>/dispatch": REPORT_DISPATCH,
    "GET /v1/decisions/export": READ_CALLS,
    "GET /v1/calls/<path:call_id>": READ_CALLS,
    "POST /v1/simulations": SIMULATE,
    "GET /v1/people": READ_PEOPLE,
    "POST /v1/people": MANAGE_PEOPLE,
    "GET /v1/people/<person_id>": READ_PEOPLE,
    "PATCH /v1/people/<person_id>": MANAGE_PEOPLE,
    "POST /v1/people/<person_id>/password": MANAGE_PEOPLE,
    "DELETE /v1/people/<person_id>/totp": MANAGE_PEOPLE,
    "DELETE /v1/people/<person_id>/sessions": MANAGE_PEOPLE,
    "GET /v1/keys": READ_PEOPLE,
    "POST /v1/keys": MANAGE_PEOPLE,
    "DELETE /v1/keys/<key_id>": MANAGE_PEOPLE,
    "GET /v1/agency": READ_STATE,
    "PUT /v1/agency": MANAGE_AGENCY,
    "GET /v1/audit": READ_AUDIT,
    "GET /v1/audit/export": READ_AUDIT,
    "GET /v1/alerts": READ_ALERTS,
    "POST /v1/alerts/<alert_id>/settle": SETTLE_ALERTS,
    "GET /v1/reviews": READ_REVIEWS,
    "GET /v1/reviews/<review_id>": READ_REVIEWS,
    "POST /v1/reviews/<review_id>/claim": REVIEW,
    "POST /v1/reviews/<review_id>/answer": REVIEW,
    "POST /v1/reviews/<review_id>/finding": REVIEW,
    "GET /v1/findings": READ_REVIEWS,
    "GET /v1/findings/figures": READ_REVIEWS,
    "POST /v1/findings/<finding_id>/scenario": ADD_SCENARIOS,
}

# Pages, judged by who is signed in; of several acts all are needed.
PAGES: Final[dict[str, str | tuple[str, ...]]] = {
    "GET /docs": OPEN,
    "GET /docs/<name>": OPEN,
    "GET /static/<path:filename>": OPEN,
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "GET /sign-in/next": OPEN,
    "POST /sign-in/authenticator": OPEN,
    "POST /sign-in/code": OPEN,
    "POST /sign-in/password": OPEN,
    "POST /sign-out": SIGNED_IN,
    "GET /account": SIGNED_IN,
    "POST /account": SIGNED_IN,
    "GET /": SIGNED_IN,  # who takes no calls is led to where their work begins
    "POST /": DECIDE,
    "POST /sent": REPORT_DISPATCH,
    "GET /practice": SIMULATE,
    "POST /practice": SIMULATE,
    "POST /practice/sent": SIMULATE,
    "GET /decisions": READ_CALLS,
    "GET /decisions/export": READ_CALLS,
    "GET /decisions/<record_id>": READ_CALLS,
    "GET /decisions/<record_id>/try": (READ_CALLS, SIMULATE),
    "POST /decisions/<record_id>/try": (READ_CALLS, SIMULATE),
    "GET /calls/<path:call_id>": READ_CALLS,
    "GET /admin": READ_PEOPLE,
    "GET /admin/people": READ_PEOPLE,
    "POST /admin/people": MANAGE_PEOPLE,
    "GET /admin/people/<person_id>": READ_PEOPLE,
    "POST /admin/people/<person_id>": MANAGE_PEOPLE,
    "GET /admin/keys": READ_PEOPLE,
    "POST /admin/keys": MANAGE_PEOPLE,
    "POST /admin/keys/<key_id>/end": MANAGE_PEOPLE,
    "GET /admin/agency": READ_PEOPLE,
    "POST /admin/agency": MANAGE_AGENCY,
    "GET /admin/audit": READ_AUDIT,
    "GET /admin/audit/export": READ_AUDIT,
    "GET /alerts": READ_ALERTS,
    "POST /alerts/<alert_id>/settle": SETTLE_ALERTS,
    "GET /state": READ_STATE,
    "GET /reviews": READ_REVIEWS,
    "POST /reviews/next": REVIEW,
    "GET /reviews/figures": READ_REVIEWS,
    "GET /reviews/<review_id>": READ_REVIEWS,
    "POST /reviews/<review_id>/claim": REVIEW,
    "POST /reviews/<review_id>/answer": REVIEW,
    "POST /reviews/<review_id>/finding": REVIEW,
    "POST /reviews/<review_id>/scenario": REVIEW,
}

# Parts of an address that name a thing of one agency; every other part means something anywhere.
OWNED: Final = (
    *("record_id", "call_id", "person_id", "key_id", "alert_id", "review_id", "finding_id"),
)
# What other parts of an address are filled with.
FILLED: Final[dict[str, str]] = {"name": "start.js", "filename": "look.css"}
# Files, which have no title and no heading.
FILES: Final = (
    *("/static/<path:filename>", "/docs/<name>", "/admin/audit/export", "/decisions/export"),
)
