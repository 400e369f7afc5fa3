"""
Prove that the verifier names what was done to a log, wherever it was done.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import verify_log
from service.verify_log import GENESIS, SEALED, canonical, digest_of, hash_of, without_sealed
from tests.log.logs import SALT, fault_of, found_in, link, log_of, written

FILE = Path(verify_log.__file__)
contents = st.lists(
    st.fixed_dictionaries({"n": st.integers(0, 5), "t": st.text(max_size=4), "f": st.floats(0, 9)}),
    min_size=4,
    max_size=12,
)


def renumbered(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Give the places anew, as somebody does who covers what was done.
    """
    inner = [{**one, "place": place} for place, one in enumerate(lines[1:-1], 1)]
    return [lines[0], *inner, {"end": {"place": len(inner), "hash": lines[-2]["hash"]}}]


def rewritten(lines: list[dict[str, Any]], start: int) -> list[dict[str, Any]]:
    """
    Make all hashes anew from the line *start* on.
    """
    made = list(lines[:start])
    previous = made[-1]["hash"] if start > 1 else GENESIS
    for one in lines[start:-1]:
        line = {**one, "place": len(made)}
        made.append({**line, "hash": hash_of("a", line, previous)})
        previous = made[-1]["hash"]
    return [*made, {"end": {"place": len(made) - 1, "hash": previous}}]


def withheld(line: dict[str, Any]) -> dict[str, Any]:
    """
    Give the line of a record as somebody gets it who may not see its content.
    """
    return {**line, "content": None, "salt": None, "why": "withheld"}


@given(contents)
def test_what_nobody_touched_is_good(told: list[Any]) -> None:
    """
    An export as it was made passes, also against every head of its own.
    """
    lines = log_of(told)
    anchors = {one["place"]: one["hash"] for one in lines[1:-1]}
    assert fault_of(lines, {0: GENESIS, **anchors}) == "good"


@given(contents, st.data())
def test_a_record_that_is_gone_is_a_deletion(told: list[Any], data: st.DataObject) -> None:
    """
    One or more records that were taken out, the last left alone, are a deletion at their place.
    """
    lines = log_of(told)
    start = data.draw(st.integers(1, len(lines) - 3))
    count = data.draw(st.integers(1, len(lines) - 2 - start))
    found = found_in(lines[:start] + lines[start + count :])
    assert found is not None
    assert (found.kind, found.place) == ("deletion", start)
    assert found_in(lines[:start] + lines[start + count :], {start: "0" * 64}) is not None


@given(contents, st.data())
def test_a_deletion_that_is_covered_up_is_found(told: list[Any], data: st.DataObject) -> None:
    """
    A record that was taken out, and the later ones given new places, is a deletion.
    """
    lines = log_of(told)
    start = data.draw(st.integers(1, len(lines) - 4))
    found = found_in(renumbered(lines[:start] + lines[start + 1 :]))
    assert found is not None
    assert (found.kind, found.place) == ("deletion", start)


@given(contents, st.data())
def test_an_end_that_is_gone_is_a_truncation(told: list[Any], data: st.DataObject) -> None:
    """
    A file cut anywhere, at a line or inside one, with the old end or a new one before an anchor, is
    a truncation.
    """
    lines = log_of(told)
    cut = data.draw(st.integers(1, len(lines) - 2))
    assert fault_of(lines[:cut]) == "truncation"
    assert fault_of([*lines[:cut], lines[-1]]) == "truncation"
    anchor = {lines[-2]["place"]: lines[-2]["hash"]}
    hidden = rewritten([*lines[:cut], lines[-1]], cut)
    assert fault_of(hidden) == "good"
    assert fault_of(hidden, anchor) == "truncation"
    whole = written(lines)
    begun = len(written(lines[:1]))
    assert fault_of(whole[: data.draw(st.integers(begun, len(whole) - 3))]) == "truncation"


@given(contents, st.data())
def test_records_that_changed_their_order_are_named(told: list[Any], data: st.DataObject) -> None:
    """
    Two that changed places, and one that was moved, with old places or new ones, are a reordering.
    """
    lines = log_of(told)
    inner = lines[1:-1]
    a = data.draw(st.integers(0, len(inner) - 2))
    b = data.draw(st.integers(a + 1, len(inner) - 1))
    swapped = list(inner)
    swapped[a], swapped[b] = swapped[b], swapped[a]
    later = [*inner[:a], *inner[a + 1 : b + 1], inner[a], *inner[b + 1 :]]
    sooner = [*inner[:a], inner[b], *inner[a:b], *inner[b + 1 :]]
    for moved in (swapped, later, sooner):
        made = [lines[0], *moved, lines[-1]]
        for one in (made, renumbered(made)):
            found = found_in(one)
            assert found is not None
            assert (found.kind, found.place) == ("reordering", a + 1)


@given(contents, st.data())
def test_a_change_is_an_alteration(told: list[Any], data: st.DataObject) -> None:
    """
    A change of content, of its digest too, or of any name or hash of a record is an alteration.
    """
    lines = log_of(told)
    at = data.draw(st.integers(1, len(lines) - 2))
    line = lines[at]
    content = {**line["content"], "n": line["content"]["n"] + 1}
    changes: list[dict[str, Any]] = [
        {"content": content},
        {"content": content, "digest": digest_of(SALT, content)},
        {"salt": "11" * 16},
        {"salt": None},
        {"id": "another"},
        {"kind": "audit"},
        {"host_id": "h2"},
        {"number": 99},
        {"place": 999},
        {"hash": "0" * 64},
        {"hash": None},
        {"digest": 7},
    ]
    for change in changes:
        found = found_in([*lines[:at], {**line, **change}, *lines[at + 1 :]])
        assert found is not None
        assert (found.kind, found.place) == ("alteration", at), change
    made = {**line, **link(at, content, lines[at - 1].get("hash", GENESIS))}
    assert fault_of([*lines[:at], made, *lines[at + 1 :]]) == "alteration"
    assert fault_of([{**lines[0], "agency": "b"}, *lines[1:]]) == "alteration"


@given(contents, st.data())
def test_a_record_that_was_put_in_is_an_insertion(told: list[Any], data: st.DataObject) -> None:
    """
    A forged record anywhere, joined to the one before it or not, with old places behind it or new
    ones, at the end too, is an insertion at its place.
    """
    lines = log_of(told)
    at = data.draw(st.integers(1, len(lines) - 1))
    previous = lines[at - 1].get("hash", GENESIS)
    joined = link(at, {"n": "forged"}, previous, id="forged")
    loose = {**joined, "hash": "5" * 64}
    for forged in (joined, loose):
        if at == len(lines) - 1 and forged is loose:
            continue  # nothing behind it shows what it is
        made = [*lines[:at], forged, *lines[at:]]
        found = found_in(made)
        assert found is not None
        assert (found.kind, found.place) == ("insertion", at)
        if at < len(lines) - 1:
            assert fault_of(renumbered(made)) == "insertion"
    assert fault_of([*lines, lines[1]]) == "insertion"


@given(contents, st.data())
def test_a_log_that_was_rewritten_is_found_by_its_anchor(
    told: list[Any], data: st.DataObject
) -> None:
    """
    A log made anew from any record on is good in itself, and shows against a head kept elsewhere.
    """
    lines = log_of(told)
    at = data.draw(st.integers(1, len(lines) - 2))
    changed = {**lines[at], **link(at, "another", GENESIS)}
    made = rewritten([*lines[:at], changed, *lines[at + 1 :]], at)
    assert fault_of(made) == "good"
    for anchored in range(at, len(lines) - 1):
        assert fault_of(made, {anchored: lines[anchored]["hash"]}) == "rewrite"


texts = st.sampled_from(
    [
        "enc:k1:AA==",
        "enc:",
        'enc:"q\\"',
        "x",
        '"enc:',
        ',"enc:k',
        "enc:\u2028\u00e9",
        "sha256:ab",
        "\\",
    ]
)
documents = st.recursive(
    st.none() | st.integers() | texts | texts.map(lambda one: {"sealed": one}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.sampled_from(["sealed", "erased"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(documents)
def test_sealed_texts_and_their_fingerprints_have_one_canonical_form(told: Any) -> None:
    """
    Wherever sealed texts stand, and whatever stands beside them, content has the same form as it is
    kept, as it is exported and as it is purged.
    """
    purged = without_sealed(told, "erased")
    form = json.dumps(purged, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(told) == form.encode()
    assert canonical(without_sealed(told, "sealed")) == form.encode()
    assert canonical(purged) == form.encode()


def test_what_is_gone_must_be_named_by_a_later_entry() -> None:
    """
    Content erased whole and a purged text pass if a later entry names the record, and not before;
    an entry about texts does not explain a whole record that is gone.
    """
    sealed = f"{SEALED}k1:abc"
    texts = {"remarks": sealed}
    purged = without_sealed(texts, "erased")
    assert canonical(texts) == canonical(purged) == canonical(without_sealed(texts, "sealed"))

    def with_entries(*entries: tuple[str, str], first: bool = False) -> list[dict[str, Any]]:
        audit = [
            {"act": act, "detail": {"what": what, "records": ["r-x"]}} for act, what in entries
        ]
        told = [*audit, texts] if first else [texts, *audit]
        lines = log_of(told)
        for place, content in enumerate(told, 1):
            previous = lines[place - 1].get("hash", GENESIS)
            named = {"id": "r-x"} if content is texts else {"kind": "audit"}
            lines[place] = link(place, content, previous, **named)
        return [*lines[:-1], {"end": {"place": len(told), "hash": lines[-2]["hash"]}}]

    def gone(lines: list[dict[str, Any]], content: Any) -> list[dict[str, Any]]:
        less = {"content": content} if content else {"content": None, "salt": None, "why": "erased"}
        return [{**one, **less} if one.get("id") == "r-x" else one for one in lines]

    remarks, whole = ("purged", "remarks"), ("erased", "whole")
    assert fault_of(gone(with_entries(remarks), purged)) == "good"
    assert fault_of(gone(with_entries(whole), purged)) == "good"
    assert fault_of(gone(with_entries(remarks, whole), None)) == "good"
    for lines in (
        gone(with_entries(), purged),
        gone(with_entries(remarks), None),
        gone(with_entries(whole, first=True), None),
        gone(with_entries(("read", "whole")), None),
    ):
        found = found_in(lines)
        assert found is not None
        assert found.kind == "deletion"
    lines = [withheld(one) if "kind" in one else one for one in with_entries(remarks)]
    assert fault_of(lines) == "good"
    missing = [{**one, "why": "missing"} for one in gone(with_entries(whole), None)]
    assert fault_of(missing) == "deletion"


def test_it_runs_alone_and_says_what_it_did_not_check(tmp_path: Path) -> None:
    """
    A copy of the file, far from the service, exits with 0, 1 and 2, and names what it left out, one
    record as one.
    """
    copy, export = tmp_path / "verify_log.py", tmp_path / "export.jsonl"
    copy.write_text(FILE.read_text())
    lines = log_of(["one", "two", "three"])

    def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-I", str(copy), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    export.write_bytes(written(lines))
    code, out = run(str(export))
    assert code == 0
    assert "GOOD" in out
    assert "--anchor" in out
    code, out = run(str(export), "--anchor", f"2:{lines[2]['hash']}")
    assert code == 0
    assert "anchored at place 2" in out
    assert "3 records join without a gap; 3 have their content" in out
    export.write_bytes(written([*lines[:3], withheld(lines[3]), lines[4]]))
    assert "the content of 1 record, which was withheld" in run(str(export))[1]
    export.write_bytes(written([*lines[:2], *map(withheld, lines[2:4]), lines[4]]))
    out = run(str(export))[1]
    assert "3 records join without a gap; 1 has its content" in out
    assert "the content of 2 records, which was withheld" in out
    export.write_bytes(written([*lines[:2], *lines[3:]]))
    assert run(str(export)) == (1, "FAULT: deletion at place 2: place 2 is missing\n")
    export.write_bytes(b"hello\n")
    assert run(str(export))[0] == 2
    assert run(str(tmp_path / "nothing"))[0] == 2
    assert run(str(export), "--anchor", "x")[0] == 2


def test_it_needs_nothing_but_an_old_python() -> None:
    """
    It imports the standard library alone, and is written for Python 3.9.
    """
    tree = ast.parse(FILE.read_text(), feature_version=(3, 9))
    named = {
        one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names
    }
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {one.split(".")[0] for one in named} <= sys.stdlib_module_names


@pytest.mark.parametrize("line", [b"[]", b'{"a":1,"a":2}', b"[" * 100_000, b"\xff", b'{"n":1}'])
def test_a_line_that_is_no_record_is_an_alteration(line: bytes) -> None:
    """
    Whatever stands in place of a record is a fault, and never an error of ours.
    """
    lines = log_of(["one", "two"])
    assert fault_of(written(lines[:2]) + line + b"\n" + written(lines[2:])) == "alteration"
