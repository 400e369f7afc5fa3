"""
Crisis Router: who should answer a crisis call, why, and what is not known.

Arrows point down: `app` and `cli` join the parts; `api` and `pages` speak HTTP; `store`, `journal`
and `rulesets` hold things; `routing` decides one call and knows nothing of the rest.
"""

from typing import Final

PROGRAM_VERSION: Final = "0.1.0"
