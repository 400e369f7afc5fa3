"""
Give the tests what they share.
"""

import os

from hypothesis import HealthCheck, settings

from tests.servers import postgres_server, postgres_url, redis_server, short_folder

__all__ = ["postgres_server", "postgres_url", "redis_server", "short_folder"]

# A short sample on every run; `HYPOTHESIS_PROFILE=long` tries 2,000 calls for each property.
# CI tries as many, always the same, so that a change and not chance makes it red.
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("sample", max_examples=60, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("long", max_examples=2000, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", settings.get_profile("long"), derandomize=True)
_DEFAULT = "ci" if os.environ.get("CI") else "sample"
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", _DEFAULT))
