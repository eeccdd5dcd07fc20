"""Looks for tokens and secrets where none may be."""

from pathlib import Path

from tests.support.oauth import ISSUED
from tests.support.realm import Realm

SHORTEST = 16  # characters; parts shorter than that prove nothing


class Secrets(dict[str, str]):
    """Secrets by client id, which pytest does not print when a test fails."""

    def __repr__(self) -> str:
        return f"<secrets of {', '.join(self)}>"


def secrets_in(realm: Realm, *files: Path) -> list[str]:
    """Return what was found in the files: names of secrets, and beginnings of token parts."""
    text = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    found = [f"the secret of {client_id}" for client_id, secret in realm.secrets.items() if secret in text]
    found += [f"the password of {person.username}" for person in realm.people if person.password in text]
    for token in ISSUED:
        # Not the header: it is the same in all tokens and tells nothing.
        parts = token.split(".")[1:]
        found += [f"a token part {part[:8]}..." for part in parts if len(part) >= SHORTEST and part in text]
    return found
