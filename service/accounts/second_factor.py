"""
The authenticator on a person's phone: make a secret for it, and judge a code of it.
"""

import datetime as dt
from collections.abc import Callable

import pyotp

from service.encryption import KeyRing
from service.store.sessions import Session

ISSUER = "Crisis Router"
# RFC 6238, section 5.2: one step of 30 s back and ahead, for clocks that differ.
STEP_S, STEPS_ASIDE = 30, 1


class SecondFactor:
    """
    Makes and judges codes that change with time. Secrets are sealed for their person.
    """

    def __init__(self, key_ring: KeyRing, now: Callable[[], dt.datetime]) -> None:
        self._key_ring = key_ring
        self._now = now

    def new_secret(self, session: Session) -> tuple[str, str]:
        """
        Make a secret for an authenticator: sealed for its person, and as the address that an
        authenticator reads from a picture.
        """
        secret = pyotp.random_base32()
        return self._key_ring.seal(secret, session.person_id), _address_of(secret, session)

    def address_of(self, sealed: str, session: Session) -> str | None:
        """
        Give the address of a secret that `new_secret` gave, or None if it is not one.
        """
        secret = self._key_ring.open_or(sealed, session.person_id, None)
        return _address_of(secret, session) if secret else None

    def step_of(self, person_id: str, sealed: str, code: str) -> int | None:
        """
        Give the time step that a code is of, or None if it is of none near now. Spaces in a code do
        not count.
        """
        secret, typed = self._key_ring.open_or(sealed, person_id, None), code.replace(" ", "")
        if secret is None or not (typed.isascii() and typed.isdigit()):
            return None
        totp, now = pyotp.TOTP(secret), int(self._now().timestamp()) // STEP_S
        for step in range(now - STEPS_ASIDE, now + STEPS_ASIDE + 1):
            if pyotp.utils.strings_equal(totp.generate_otp(step), typed):
                return step
        return None


def _address_of(secret: str, session: Session) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=session.name, issuer_name=ISSUER)
