"""
The floor: a Flask application whose one view gives the same JSON every time.
"""

import os

from flask import Flask, Response

from benchmarks.load import die_with_parent

CONSTANT = b'{"recommendation":{"urgency":"moderate","responders":[]}}'


def create_app() -> Flask:
    """
    Make the bare application of a process of its own, which ends with its parent.
    """
    die_with_parent(os.getppid())
    return make_flask()


def make_flask() -> Flask:
    """
    Make the bare application; `/healthz` is there so that its start can be awaited.
    """
    app = Flask("bare", static_folder=None)

    @app.post("/v1/decisions")
    def constant() -> Response:
        return Response(CONSTANT, 201, mimetype="application/json")

    @app.get("/healthz")
    def healthz() -> Response:
        return Response(b"{}", mimetype="application/json")

    return app
