"""
A clock that is set back, as the answers of one call show it.
"""

import datetime as dt
import json
from pathlib import Path

from service.app import join, make_flask
from service.host.first_start import prepare
from service.settings import read_settings

NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def test_a_clock_that_is_set_back_reorders_no_revisions(tmp_path: Path) -> None:
    """
    A later revision is never decided before the one that it follows, whatever the clock says: the
    store numbers them by that time, and the answer already told the number.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    prepare(settings)
    clock = [NOON]
    parts, close = join(settings, lambda: clock[0])
    try:
        key = json.loads((tmp_path / "credentials.json").read_text())["dispatch_key"]
        client = make_flask(parts).test_client()
        told = []
        for hours in (0, -2, -1, 1):
            clock[0] = NOON + dt.timedelta(hours=hours)
            headers = {"Authorization": f"Bearer {key}"}
            answer = client.post("/v1/decisions", json={"call_id": "back"}, headers=headers)
            told.append((answer.json["revision"], answer.json["decided_at"]))
    finally:
        close()
    assert [revision for revision, _ in told] == [1, 2, 3, 4]
    times = [dt.datetime.fromisoformat(at) for _, at in told]
    assert times == sorted(set(times))
    assert times[-1] == NOON + dt.timedelta(hours=1)
