"""
Measures the reading of remarks: those of about 200 characters, and that the time grows with the
length.
"""

import gc
import statistics
import time
from collections.abc import Callable
from typing import Final

from benchmarks.table import show
from service.routing.phrases import places_of
from service.routing.signals import read_remarks
from service.rulesets import load_config

CHARACTERS: Final = 200
# Remarks in dispatchers' style, each cut or filled up to CHARACTERS; made up.
REMARKS: Final = (
    "RP ADV SON 34 YOM BIPOLAR OFF MEDS 3 WKS, HEARING VOICES, THREATENING TO KILL HIMSELF"
    " W/ KNIFE. DENIES HI. NO CHILDREN PRESENT. HBD. UNK IF OTHER WPNS. PRIOR ATTEMPTS 2 YRS AGO",
    "Caller says her brother is sitting on the porch crying and does not want to live anymore."
    " He has not taken anything tonight and there are no guns in the house, unsure if he drank",
    "MALE DOWN AT BUS STOP, NOT RESPONDING TO VOICE, BREATHING. NO WPNS SEEN. UNK MED HX."
    " POSS OD, FOIL NEXT TO HIM. RP NOT STAYING ON SCENE. FIRE ENRT. BLK JACKET, NB SIDE OF ST",
    "FEMALE TRESPASSING IN LOBBY, REFUSING TO LEAVE, YELLING AT STAFF, NO THREATS, NO WEAPONS,"
    " NEG HBD. MH HX PER STAFF. CALM WHEN SPOKEN TO. STAFF REQ CRISIS TEAM, NO PD PLEASE",
)
PIECES: Final = ("NO ", "NEG SI ", "gun or ", "took 40 of his pills and ")
LONG: Final = 65_536


def measure_remarks(*, quick: bool) -> None:
    """
    Print the time of a remark, beside that of cutting it into words only, and of 64 KiB.
    """
    lexicon = load_config().lexicon
    texts = [(one + " " + one)[:CHARACTERS] for one in REMARKS]
    rounds = 200 if quick else 3_000
    gc.freeze()
    reading = _medians(lambda text: read_remarks(lexicon, text), texts, rounds)
    cutting = _medians(places_of, texts, rounds)
    rows = [
        (f"remark {place + 1}", f"{read:.0f} µs", f"{cut:.0f} µs", f"{read / cut:.1f}x")
        for place, (read, cut) in enumerate(zip(reading, cutting, strict=True))
    ]
    read, cut = statistics.median(reading), statistics.median(cutting)
    rows.append(("median of them", f"{read:.0f} µs", f"{cut:.0f} µs", f"{read / cut:.1f}x"))
    show(
        f"Remarks of {CHARACTERS} characters: read, and only cut into words",
        ("", "read", "cut", "ratio"),
        rows,
    )
    long = []
    for piece in PIECES:
        text = (piece * (LONG // len(piece) + 1))[:LONG]
        whole, part = _medians(
            lambda one: read_remarks(lexicon, one), [text, text[: LONG // 8]], rounds=3
        )
        times = (f"{whole / 1000:.0f} ms", f"{part / 1000:.0f} ms", f"{whole / part:.1f}x")
        long.append((piece, *times))
    show("64 KiB of a piece again and again", ("", "64 KiB", "an eighth", "ratio"), long)
    gc.unfreeze()


def _medians(read: Callable[[str], object], texts: list[str], rounds: int) -> list[float]:
    """
    Give the median time of each text in microseconds.
    """
    found = []
    for text in texts:
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            read(text)
            took.append(time.perf_counter() - began)
        found.append(statistics.median(took) * 1e6)
    return found
