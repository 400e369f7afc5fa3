"""
Prove that sealed text opens with its key, for its record, unaltered, and in no other case.
"""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from service.encryption import KeyRing, made_once, new_key, open_key_ring, session_key
from service.errors import SealedTextError, SettingsError
from service.settings import Settings, read_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """
    Give the settings of an empty home.
    """
    return read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})


def test_text_comes_back() -> None:
    """
    What is sealed opens to the same text, and the sealed form shows only the key's id.
    """
    ring = KeyRing(new_key())
    sealed = ring.seal("sie ist allein – 🏠", "r-1")
    assert ring.open(sealed, "r-1") == "sie ist allein – 🏠"
    assert sealed.startswith("enc:k")
    assert ring.seal("same", "r-1") != ring.seal("same", "r-1")


def test_an_older_key_still_opens() -> None:
    """
    After a new key is put in front, old text opens and new text is sealed with the new key.
    """
    old, new = new_key(), new_key()
    sealed = KeyRing(old).seal("text", "r-1")
    ring = KeyRing(f"{new}, {old}")
    assert ring.open(sealed, "r-1") == "text"
    assert ring.seal("text", "r-1").split(":")[1] == new.split(":")[0]


def test_a_key_that_is_gone_is_named() -> None:
    """
    Without its key a text does not open, and the error names the key and the way out.
    """
    old = new_key()
    with pytest.raises(SealedTextError, match=old.split(":")[0]):
        KeyRing(new_key()).open(KeyRing(old).seal("text", "r-1"), "r-1")


def test_text_of_another_record_does_not_open() -> None:
    """
    A sealed text that is moved to another record is refused.
    """
    ring = KeyRing(new_key())
    with pytest.raises(SealedTextError, match="another record"):
        ring.open(ring.seal("text", "r-1"), "r-2")


@pytest.mark.parametrize(
    "change", [lambda t: t[:-6] + "AAAA==", lambda t: t[:12] + "!", lambda _: "plain"]
)
def test_altered_text_does_not_open(change: object) -> None:
    """
    Whatever was changed, the text is refused and never half read.
    """
    ring = KeyRing(new_key())
    assert callable(change)
    with pytest.raises(SealedTextError):
        ring.open(change(ring.seal("text", "r-1")), "r-1")


@pytest.mark.parametrize("text", ["k1:AAAA", "k1:not base64", "justakey", ":AAAA", " , "])
def test_a_wrong_key_names_the_way_out(text: str) -> None:
    """
    A key of a wrong length gives an error that says how to make one, and never shows it.
    """
    with pytest.raises(SettingsError, match="/dev/urandom") as raised:
        KeyRing(text)
    assert "AAAA" not in str(raised.value)


def test_keys_of_the_settings_come_first(settings: Settings) -> None:
    """
    With keys in the environment no file is made.
    """
    key = f"mine:{base64.b64encode(bytes(32)).decode()}"
    ring = open_key_ring(replace(settings, encryption_keys=key))
    assert repr(ring) == "KeyRing(mine)"
    assert not list(settings.home.iterdir())


def test_secrets_are_made_once_and_only_for_the_owner(settings: Settings) -> None:
    """
    Two starts read the same keys, mode 0600, and nothing else is left behind.
    """
    sealed = open_key_ring(settings).seal("text", "r-1")
    assert open_key_ring(settings).open(sealed, "r-1") == "text"
    assert session_key(settings) == session_key(settings)
    assert {path.name: path.stat().st_mode & 0o777 for path in settings.home.iterdir()} == {
        "encryption_keys": 0o600,
        "session_key": 0o600,
    }


def test_a_home_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    """
    A secret that cannot be kept is not handed out.
    """
    with pytest.raises(SettingsError, match="neither read nor made"):
        made_once(tmp_path / "no" / "key", new_key)
