"""
Put what one process shows where every process of this host can read it.
"""

from pathlib import Path
from typing import Any

import orjson


def show(path: Path, document: Any) -> bool:
    """
    Put a document in place of the one before, whole; False where the disk does not take it.
    """
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(exist_ok=True)
        draft.write_bytes(orjson.dumps(document))
        draft.replace(path)
    except OSError:
        return False
    return True
