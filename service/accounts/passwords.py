"""
What a password must be.

>>> fault_in("five tall willows", "ana@example.org", 12) is None
True
"""

PASSWORD_CHARACTERS_MAX = 200
DIFFERENT_CHARACTERS_MIN = 5


def fault_in(password: str, email: str, least: int) -> str | None:
    """
    Say what is wrong with a new password of the person with this address, or None.

    Source:
        NIST SP 800-63B-4, 3.1.1.2: long, no rules about kinds of characters, none that names the
        account.
    """
    if not least <= len(password) <= PASSWORD_CHARACTERS_MAX:
        return f"A password has {least} to {PASSWORD_CHARACTERS_MAX} characters. A few words do."
    if email.partition("@")[0].lower() in password.lower():
        return "The password holds your address. Choose another."
    if len(set(password)) < DIFFERENT_CHARACTERS_MIN:
        return "The password is the same few characters again and again. Choose another."
    return None
