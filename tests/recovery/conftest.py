"""
Give the tests of replay the joined application that the API's tests have.
"""

from tests.api.conftest import api

__all__ = ["api"]
