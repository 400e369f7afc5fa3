"""
The headers of every answer, and where a cookie is opened.
"""

from flask import Flask, Response, session

from service.front import HEADERS, PageSessions, guarded


def small_app() -> Flask:
    """
    Make an application with a page and a resource, both of which look for a session.
    """
    app = Flask("small")
    app.secret_key = "k"
    app.session_interface = PageSessions()
    app.wsgi_app = guarded(app.wsgi_app)  # type: ignore[method-assign, assignment]  # as Flask has it

    def whose() -> Response:
        return Response(type(session._get_current_object()).__name__)  # type: ignore[attr-defined]  # a proxy

    def keeps() -> Response:
        return Response("", headers={"cache-control": "public"})

    app.add_url_rule("/page", "page", whose)
    app.add_url_rule("/v1/thing", "thing", whose)
    app.add_url_rule("/kept", "kept", keeps)
    return app


def test_the_api_opens_no_session() -> None:
    """
    A page has the session of its cookie; under /v1/ there is none, whatever cookie comes.
    """
    client = small_app().test_client()
    client.set_cookie("session", "anything")
    assert client.get("/page").text == "SecureCookieSession"
    assert client.get("/v1/thing").text == "NullSession"


def test_every_answer_carries_the_headers() -> None:
    """
    An address that is not there carries them too, and a view's own header stays as it is.
    """
    client = small_app().test_client()
    for path in ("/page", "/v1/thing", "/nowhere"):
        found = client.get(path).headers
        assert [found.getlist(name) for name, _ in HEADERS] == [[value] for _, value in HEADERS]
    assert client.get("/kept").headers.getlist("Cache-Control") == ["public"]
