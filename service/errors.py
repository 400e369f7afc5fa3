"""
Errors that a caller, an operator or an author of rules can mend; each says where, what and the way
out.

Bugs of our own are not here: those are assertions. HTTP answers are made of these in
`service/api/problems.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from service.routing.problems import Problem


class CrisisRouterError(Exception):
    """
    Something outside the program is wrong, and a person can put it right.
    """


class SettingsError(CrisisRouterError):
    """
    A setting, a folder, a port or a program that the service needs is not as it must be.
    """


class JournalUnavailableError(CrisisRouterError):
    """
    The journal could not record within the time that a dispatcher can wait.
    """


class RecordUnreadableError(JournalUnavailableError):
    """
    What the journal recorded before cannot be read; whatever else it is asked is not affected.
    """


class StoreUnavailableError(CrisisRouterError):
    """
    The store cannot be reached; whatever the journal holds is still safe.
    """


class ClaimHeldError(CrisisRouterError):
    """
    A reviewer asks for what they may not see before they have answered the review they claimed.
    """


class DecisionUnreadableError(CrisisRouterError):
    """
    What the store holds of a decision is not what was told: it was changed there, or it is gone.
    `record` says where it stands; None where it is gone.
    """

    def __init__(self, record: Mapping[str, Any] | None) -> None:
        super().__init__(
            "the record of this decision cannot be read: it is not as it was told, so it is neither"
            " shown nor reviewed; run `crisis-router verify`"
        )
        self.record = record


class InQuarantineError(CrisisRouterError):
    """
    A record was told and is kept whole, and the store cannot take it as it is: `record` says where
    it stands.
    """

    def __init__(self, host_id: str, number: int) -> None:
        self.command = f"crisis-router quarantine show {host_id} {number}"
        super().__init__(
            "this record is in quarantine: it is kept whole, and the store cannot take it as it is;"
            f" see why with `{self.command}`"
        )
        self.record = {"host": host_id, "number": number}


class ConflictError(CrisisRouterError):
    """
    What is asked for does not fit the state of things; `code` says why, for programs.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SealedTextError(CrisisRouterError):
    """
    A sealed text cannot be opened: its key is not in the ring, or it is not what was sealed.
    """


class KeyNotHereError(SealedTextError):
    """
    The key that a text was sealed with, `key_id`, is not in the ring.
    """

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"the text was sealed with key `{key_id}`, which is not in the ring: put it back,"
            " behind the newest key, in `CRISIS_ROUTER_ENCRYPTION_KEYS`"
        )
        self.key_id = key_id


class CursorError(CrisisRouterError):
    """
    The cursor of a list is not one that a list gave out.
    """


class ConfigurationError(CrisisRouterError):
    """
    Files under `config/` have faults; `problems` lists every one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class BodyError(CrisisRouterError):
    """
    The body of a request cannot be read as JSON that every reader reads alike.
    """
