"""
Reads `config/`: the vocabulary, the table of ways, the reasons for a dispatch, and the rulesets,
with file and line of every fault.

What is read together is digested together: the digest covers everything that `decide` reads, so the
same digest means the same answers. Nothing here decides anything.
"""

import gc
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from service.agency_settings import (
    RETENTION_LEAST,
    RETENTION_MOST,
    REVIEW_LEAST,
    AgencyDefaults,
    Retention,
    ReviewRules,
    is_within,
)
from service.console import Console, read_console
from service.eido.words import EidoWords, read_words
from service.errors import ConfigurationError
from service.incident_type_files import read_incident_types
from service.incident_types import IncidentTypes
from service.routing.decide import Router
from service.routing.facts import Vocabulary
from service.routing.lexicon import Lexicon, read_lexicon
from service.routing.matcher import compile_ruleset
from service.routing.problems import Problem
from service.routing.reading import read_ruleset
from service.routing.ways import Ways, read_ways
from service.settings import shipped_config
from service.yaml_files import located, named_yaml, read_yaml, read_yaml_text, text_of

LEXICONS_KEPT = 4  # compiled: that of this host, and a few of tests
OTHER = "other"  # the reason for a dispatch that is always there, and needs a comment


@dataclass(frozen=True, slots=True)
class Published:
    """
    A ruleset in force: its name, version, digest, content and compiled router.
    """

    name: str
    version: int
    digest: str
    content: Mapping[str, Any]
    router: Router


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """
    Everything read from one `config/` folder; `agency` is what every agency starts with, `console`
    how a call is laid out on its page, `eido` the words that are known of EIDO documents.

    `texts` are the files that `tables` were read from, by their path in the folder: with them a
    decision can be made again when the folder has changed. `tables_digest` is that of `tables`.
    """

    vocabulary: Vocabulary
    ways: Ways
    incident_types: IncidentTypes
    lexicon: Lexicon
    tables: Mapping[str, Any]
    tables_digest: str
    texts: Mapping[str, str]
    agency: AgencyDefaults
    console: Console
    eido: EidoWords
    rulesets: Mapping[str, Published]

    def __repr__(self) -> str:
        """
        Name it; its content is long.
        """
        return f"Config({sorted(self.rulesets)})"

    def router(self, name: str) -> Router:
        """
        Give the compiled router of a shipped ruleset.
        """
        return self.rulesets[name].router

    def publish(self, content: Mapping[str, Any], version: int) -> Published:
        """
        Compile a ruleset given as a document.

        Raises:
            ConfigurationError: the document has faults; every one is named.
        """
        ruleset, problems = read_ruleset(self.vocabulary, content)
        if ruleset is None:
            raise ConfigurationError(problems)
        matcher = compile_ruleset(self.vocabulary, ruleset, self.ways.without_988)
        digest = digest_of({"ruleset": content, **self.tables})
        return Published(ruleset.name, version, digest, content, Router(matcher, self.ways))


def digest_of(document: object) -> str:
    """
    Give the SHA-256 of a document in canonical JSON: the order of keys does not matter, every value
    does.
    """
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    )
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    # It would walk, again and again, what is made to stay: without it this takes half the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_collector_at_rest()
def load_config(folder: Path | None = None, *, was_judged: bool = False) -> Config:
    """
    Read and check a whole configuration folder (default: the shipped one).

    One that *was_judged* decided before: its lexicon was taken as it was, and is again.

    Raises:
        ConfigurationError: names every fault of every file, with its line.
    """
    folder = folder or shipped_config()
    facts_text = text_of(folder / "facts.yaml")
    facts, _ = named_yaml(str(folder / "facts.yaml"), facts_text)
    vocabulary = Vocabulary.of(facts)
    ways_text = text_of(folder / "ways.yaml")
    ways_document, ways_lines = named_yaml(str(folder / "ways.yaml"), ways_text)
    ways, problems = read_ways(vocabulary, ways_document)
    found = located(problems, folder / "ways.yaml", ways_lines)
    type_texts = _texts_of(folder / "incident_types")
    type_documents = {str(path): named_yaml(str(path), text) for path, text in type_texts.items()}
    types, type_problems = read_incident_types(vocabulary, type_documents)
    found += type_problems
    reasons, reason_problems = _read_reasons(folder)
    found += reason_problems
    # Thousands of codes, and the same for every ruleset: digested once.
    said_by_types = digest_of({name: one.decides for name, one in types.registries.items()})
    remarks = _own_or_shipped(folder, "remarks")
    remark_texts = _texts_of(remarks)
    lexicon, lexicon_problems = _read_lexicon(facts_text, remark_texts)
    # The shipped lexicon may name facts that a vocabulary of somebody's own does not have.
    found += lexicon_problems if remarks.is_relative_to(folder) and not was_judged else ()
    tables = {
        "facts": facts,
        "ways": ways_document,
        "incident_types": said_by_types,
        "remarks": digest_of({path.name: text for path, text in remark_texts.items()}),
    }
    agency, agency_problems = _read_agency(folder, reasons)
    found += agency_problems
    console, console_problems = _read_console(folder, vocabulary)
    found += console_problems
    eido, eido_problems = _read_eido(folder)
    found += eido_problems
    kept = {"facts.yaml": facts_text, "ways.yaml": ways_text}
    kept |= {f"incident_types/{path.name}": text for path, text in type_texts.items()}
    kept |= {f"remarks/{path.name}": text for path, text in remark_texts.items()}
    read = (vocabulary, ways, types, lexicon, tables, digest_of(tables), kept)
    config = Config(*read, agency, console, eido, {})
    rulesets = {}
    for path in sorted((folder / "rulesets").glob("*/rules.yaml")):
        document, lines = read_yaml(path)
        try:
            published = config.publish(document, version=1)
            rulesets[published.name] = published
        except ConfigurationError as fault:
            found += located(fault.problems, path, lines)
    if found:
        raise ConfigurationError(found)
    return replace(config, rulesets=rulesets)


def _read_lexicon(facts: str, texts: Mapping[Path, str]) -> tuple[Lexicon, list[Problem]]:
    paths = {path.name: path for path in texts}

    def at_paths(problems: Iterable[Problem]) -> list[Problem]:
        return [replace(one, file=str(paths.get(one.file, one.file))) for one in problems]

    try:
        named = tuple((path.name, text) for path, text in texts.items())
        lexicon, problems = _compiled_lexicon(facts, named)
    except ConfigurationError as fault:
        raise ConfigurationError(at_paths(fault.problems)) from fault
    return lexicon, at_paths(problems)


@lru_cache(maxsize=LEXICONS_KEPT)
def _compiled_lexicon(
    facts: str, texts: tuple[tuple[str, str], ...]
) -> tuple[Lexicon, tuple[Problem, ...]]:
    # Some thousand phrases take half a second to compile: the same texts are compiled once, also
    # where a copy of them lies in another folder.
    documents = {file: named_yaml(file, text) for file, text in texts}
    lexicon, problems = read_lexicon(Vocabulary.of(read_yaml_text(facts)[0]), documents)
    return lexicon, tuple(problems)


def _read_reasons(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    path = _own_or_shipped(folder, "dispatch.yaml")
    document, lines = read_yaml(path)
    listed = document.get("reasons") if isinstance(document, Mapping) else None
    reasons: dict[str, str] = {}
    problems: list[Problem] = []
    for place, one in enumerate(listed if isinstance(listed, list) else ()):
        name, label = (one.get("id"), one.get("label")) if isinstance(one, Mapping) else (0, 0)
        at = f"reasons[{place}]"
        if not (isinstance(name, str) and isinstance(label, str) and name and label):
            problems.append(Problem("bad_reason", at, "a reason needs an `id` and a `label`"))
        elif name in reasons:
            problems.append(Problem("reason_twice", at, f"the reason `{name}` stands twice"))
        else:
            reasons[name] = label
    if OTHER not in reasons:
        text = f"the reasons must hold `{OTHER}`, for what the others do not say"
        problems.append(Problem("no_other", "reasons", text))
    return reasons, located(problems, path, lines)


def read_agency_defaults(folder: Path) -> AgencyDefaults:
    """
    Read what every agency starts with, and nothing else, which takes no time.

    Raises:
        ConfigurationError: a file has faults.
    """
    reasons, problems = _read_reasons(folder)
    defaults, more = _read_agency(folder, reasons)
    if problems or more:
        raise ConfigurationError([*problems, *more])
    return defaults


def _read_agency(folder: Path, reasons: Mapping[str, str]) -> tuple[AgencyDefaults, list[Problem]]:
    path = _own_or_shipped(folder, "agency.yaml")
    document, lines = read_yaml(path)
    told = document.get("review") if isinstance(document, Mapping) else None
    told = told if isinstance(told, Mapping) else {}
    problems = []
    for name, least in REVIEW_LEAST.items():
        value = told.get(name)
        if least is None:
            is_right, wanted = type(value) is bool, "true or false"
        else:
            is_right = isinstance(value, int | float) and type(value) is not bool and value >= least
            wanted = f"a number of {least} or more"
        if not is_right:
            problems.append(Problem("bad_review", f"review.{name}", f"must be {wanted}"))
    values = {name: told.get(name, least or 0) for name, least in REVIEW_LEAST.items()}
    keep = document.get("keep_remarks") if isinstance(document, Mapping) else None
    if not isinstance(keep, bool):
        problems.append(Problem("bad_keep_remarks", "keep_remarks", "must be true or false"))
    retention, wrong = _read_retention(document)
    # What cannot be read keeps nothing: the file is refused all the same.
    defaults = AgencyDefaults(ReviewRules(**values), reasons, retention, keep is True)
    return defaults, located([*problems, *wrong], path, lines)


def _read_retention(document: Any) -> tuple[Retention, list[Problem]]:
    told = document.get("retention") if isinstance(document, Mapping) else None
    if told is None:
        # An own file of before there was any must not lose its rules over it.
        told = read_yaml(shipped_config() / "agency.yaml")[0]["retention"]
    told = told if isinstance(told, Mapping) else {}
    problems = []
    for name, least in RETENTION_LEAST.items():
        if type(told.get(name)) is not int or not is_within(name, told[name]):
            text = f"must be a whole number from {least} to {RETENTION_MOST[name]}"
            problems.append(Problem("bad_retention", f"retention.{name}", text))
    values = dict(RETENTION_LEAST) if problems else {name: told[name] for name in RETENTION_LEAST}
    return Retention(**values), problems


def _read_console(folder: Path, vocabulary: Vocabulary) -> tuple[Console, list[Problem]]:
    path = _own_or_shipped(folder, "console.yaml")
    document, lines = read_yaml(path)
    console, problems = read_console(vocabulary, document)
    # The shipped layout beside a vocabulary of somebody's own may name facts that it does not have.
    is_own = path.is_relative_to(folder)
    return console, located(problems, path, lines) if is_own else []


def _read_eido(folder: Path) -> tuple[EidoWords, list[Problem]]:
    path = _own_or_shipped(folder, "eido.yaml")
    document, lines = read_yaml(path)
    words, problems = read_words(document)
    return words, located(problems, path, lines)


def _own_or_shipped(folder: Path, name: str) -> Path:
    # A folder that was made before this file was known must not lose its rules over it.
    path = folder / name
    return path if path.exists() else shipped_config() / name


def _texts_of(folder: Path) -> dict[Path, str]:
    return {path: text_of(path) for path in sorted(folder.glob("*.yaml"))}
