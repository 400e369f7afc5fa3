"""
Prove that the page of the audit trail is read by people, not by machines.
"""

from service.access import command_line
from service.store import audit, people
from tests.pages.browsing import Page, Service, sign_in


def test_the_trail_is_told_in_words(service: Service) -> None:
    """
    A person is told by name, a finding and a kind of thing in words, a digest by its beginning with
    the whole beside it; the filters offer the acts and kinds that the trail holds.
    """
    whole, parts = "ab" * 32, service.parts
    actor = command_line("example")
    supervisor = people.find_by_email(parts.store, service.credentials.supervisor.email)
    assert supervisor is not None
    subject = ("person", supervisor.id)
    audit.create(parts.store, parts.audit.entry(actor, "changed", subject, digest=whole))
    audit.create(parts.store, parts.audit.entry(actor, "found", ("review", "r1"), verdict="right"))
    hold = ("legal_hold", "h1")
    audit.create(parts.store, parts.audit.entry(actor, "placed", hold, on="everything"))
    admin = service.app.test_client()
    assert sign_in(admin, service.credentials.admin).status_code == 303
    shown = admin.get("/admin/audit").text
    assert f'title="{subject[1]}">{supervisor.name}</a>' in shown
    assert "made a finding on" in shown
    assert f'title="{whole}">digest: {whole[:12]}…<' in shown
    assert '<option value="found" label="made a finding on">' in shown
    assert '<option value="person">' in shown
    assert '<td role="cell">legal hold <' in shown
    assert '<option value="legal_hold" label="legal hold">' in shown
    page = Page(shown)
    lists = {one.get("list") for one in page.named("input")} - {None}
    assert lists == {one.get("id") for one in page.named("datalist")}
