"""
Why a change of the rules cannot be made as things stand; each says what to do instead.
"""

import datetime as dt
from collections.abc import Sequence

from service.errors import CrisisRouterError
from service.routing.problems import Problem


class RuleConflictError(CrisisRouterError):
    """
    The change does not fit what is there; `code` is stable: author_is_approver, digest_changed,
    not_checked, check_failed, not_approved and others that the API description names.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class NoSuchRulesError(CrisisRouterError):
    """
    The agency has no ruleset, draft or version of this name.
    """


class DraftChangedError(CrisisRouterError):
    """
    Somebody else saved the draft since it was read; `saved_name` and `saved_at` say who and when.
    """

    def __init__(self, saved_name: str, saved_at: dt.datetime | None) -> None:
        super().__init__("the draft was saved by somebody else since you read it")
        self.saved_name = saved_name
        self.saved_at = saved_at


class DraftNotNamedError(CrisisRouterError):
    """
    There is a draft, and the change does not say which one it was made on.
    """


class FaultyMemberError(CrisisRouterError):
    """
    One thing that was asked for cannot be at all; `path` names it.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class ScenariosError(CrisisRouterError):
    """
    Scenarios have faults; `problems` lists every one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
