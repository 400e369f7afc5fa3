"""
The log where nothing can be written.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from service.log import UnfailingOutput

ROOT = Path(__file__).resolve().parent.parent
FULL = Path("/dev/full")
PROGRAM = """
import structlog
from service.log import configure_log
configure_log()
structlog.get_logger().error("decision_not_recorded")
print("answered")
"""


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a file that is always full")
def test_a_line_that_cannot_be_written_breaks_no_answer() -> None:
    """
    With the log on a full disk the program goes on behind the line.
    """
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            check=False,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=full,
        )
    assert done.stdout == b"answered\n"


def test_a_closed_output_is_no_error(tmp_path: Path) -> None:
    """
    A line for an output that is closed is lost, and nothing else happens.
    """
    output = (tmp_path / "log").open("w")
    unfailing = UnfailingOutput(output)
    unfailing.write("kept\n")
    output.close()
    assert unfailing.write("lost\n") == 5
    unfailing.flush()
    assert (tmp_path / "log").read_text() == "kept\n"
