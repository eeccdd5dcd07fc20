"""`secure-mcp audit` on a realm of its own: silent when it is clean, and every tampering by its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.admin import AdminClient
from ops.audit.audit import Audit
from ops.audit.commands import look_at
from ops.audit.kcwarden import load_exclusions, run_kcwarden
from ops.audit.target import Target, Wishes, find_target
from ops.keycloak import KeycloakServer
from ops.realm import render_lock
from tests.support.fixtures import realm_values
from tests.support.tampering import Tamperer, tamperings

REALM = "tampered-realm"


@dataclass
class Audited:
    """A realm imported from the lock file, and how it is audited."""

    target: Target
    tamperer: Tamperer

    def look(self) -> Audit:
        return look_at(self.target)


def write_secrets(folder: Path, secrets: dict[str, str]) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
        (folder / name).chmod(0o400)
    return folder


@pytest.fixture(scope="module")
def audited(
    tmp_path_factory: pytest.TempPathFactory,
    admin: AdminClient,
    keycloak: KeycloakServer,
    public_url: str,
    client_secrets: dict[str, str],
) -> Iterator[Audited]:
    folder = tmp_path_factory.mktemp("audit")
    admin.post("", json=render_lock(realm_values(public_url, client_secrets), REALM))
    wishes = Wishes(
        keycloak_url=keycloak.url,
        realm=REALM,
        public_url=public_url,
        issuer=f"{keycloak.url}/realms/{REALM}",
        ssl_required="external",
        secrets=write_secrets(folder / "secrets", client_secrets),
        known=folder / "registered-clients.json",
    )
    yield Audited(find_target(wishes), Tamperer(admin, REALM))
    admin.delete(f"/{REALM}")


@pytest.fixture(scope="module")
def clean(audited: Audited) -> Audit:
    """What the audit says before anything was tampered with."""
    return audited.look()


@pytest.mark.requirement("AUDIT-CLEAN")
def test_a_clean_realm_has_no_drift(clean: Audit) -> None:
    assert [drift.finding.sentence for drift in clean.drift] == []
    assert clean.notes == ()


@pytest.mark.requirement("AUDIT-KCWARDEN")
def test_kcwarden_finds_nothing_and_every_exclusion_covers_something(clean: Audit) -> None:
    findings, used = run_kcwarden(clean.export)
    assert [finding.sentence for finding in findings] == []
    assert set(load_exclusions()) - used == set()


@pytest.mark.requirement("AUDIT-SECRECY")
def test_what_an_audit_keeps_holds_no_secret(clean: Audit, client_secrets: dict[str, str]) -> None:
    text = repr(clean)
    assert [name for name, secret in client_secrets.items() if secret in text] == []


@pytest.mark.requirement("AUDIT-REGISTERED")
def test_a_client_that_registered_by_itself_is_listed_apart_until_it_breaks_the_rules(
    audited: Audited, clean: Audit, keycloak: KeycloakServer
) -> None:
    import httpx

    admin = audited.tamperer.admin
    token = admin.post(f"/{REALM}/clients-initial-access", json={"count": 1, "expiration": 600}).json()["token"]
    answer = httpx.post(
        f"{keycloak.url}/realms/{REALM}/clients-registrations/openid-connect",
        json={
            "client_name": "an agent",
            "redirect_uris": ["http://127.0.0.1/cb"],
            "token_endpoint_auth_method": "none",
        },
        headers={"Authorization": f"Bearer {token}"},
    )
    client_id = answer.json()["client_id"]
    found = audited.look()
    assert [drift.finding.sentence for drift in found.drift] == []
    assert found.registered == (client_id,)
    assert any(client_id in note for note in found.notes)
    client = admin.get(f"/{REALM}/clients", clientId=client_id)[0]
    admin.put(f"/{REALM}/clients/{client['id']}", json=client | {"fullScopeAllowed": True, "consentRequired": False})
    # Without the event of its registration it is still known.
    admin.delete(f"/{REALM}/events")
    rules = [(drift.finding.id, drift.difference.path[-1]) for drift in found_again(audited).drift]
    assert rules == [("registered-client", "consentRequired"), ("registered-client", "fullScopeAllowed")]
    admin.delete(f"/{REALM}/clients/{client['id']}")


def found_again(audited: Audited) -> Audit:
    from dataclasses import replace

    from ops.audit.target import read_known

    known = replace(audited.target.declared, known=read_known(audited.target.known))
    return look_at(replace(audited.target, declared=known))


@pytest.fixture(scope="module")
def tampered(audited: Audited, clean: Audit) -> dict[int, Audit]:
    """What the audit says after each batch; the batches add up."""
    found = {}
    for batch in sorted({row["batch"] for row in tamperings()}):
        for row in tamperings(batch):
            audited.tamperer.tamper(row)
        found[batch] = audited.look()
    return found


@pytest.mark.requirement("AUDIT-TAMPERINGS")
@pytest.mark.parametrize("row", tamperings(), ids=lambda row: row["id"])
def test_a_tampering_is_named_with_its_repair(tampered: dict[int, Audit], row: dict[str, str]) -> None:
    drift = tampered[int(row["batch"])].drift
    named = [
        one
        for one in drift
        if one.finding.id == row["rule"] and row["says"].casefold() in one.finding.sentence.casefold()
    ]
    assert len(named) == 1, [(one.finding.id, one.finding.sentence) for one in drift]
    assert named[0].finding.fix.startswith(("Run: terraform apply", "Run: kcadm.sh", "Run: printf")), named[
        0
    ].finding.fix
    assert "?" not in named[0].finding.fix, "an id is missing in the command"


@pytest.mark.requirement("AUDIT-TAMPERINGS")
def test_nothing_is_told_that_nobody_did(tampered: dict[int, Audit]) -> None:
    rules = {row["rule"] for row in tamperings()}
    for batch, found in tampered.items():
        strange = [one.finding.sentence for one in found.drift if one.finding.id not in rules]
        assert strange == [], batch


@pytest.mark.requirement("AUDIT-TAMPERINGS")
def test_there_are_the_23_of_the_table_and_20_more() -> None:
    rows = tamperings()
    assert len({row["id"] for row in rows}) == len(rows) >= 43
