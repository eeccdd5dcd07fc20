"""The repair that `secure-mcp repair` prints, run as printed, takes back every tampering.

Named so that it comes before test_apply.py, which destroys the realm.
"""

import os
import subprocess
from dataclasses import dataclass

import pytest

from ops.audit.audit import Audit
from ops.audit.commands import look_at
from ops.audit.script import repair_script
from ops.audit.target import Target, Wishes, find_target
from ops.distribution import ensure_distribution
from tests.realm.test_audit import write_secrets
from tests.support.tampering import Tamperer, tamperings
from tests.terraform.keycloak.conftest import Applied


@dataclass
class Amended:
    """The applied realm, what an audit says about it, and how the printed repair is run."""

    target: Target
    tamperer: Tamperer
    environment: dict[str, str]

    def look(self) -> Audit:
        return look_at(self.target)

    def repair(self, found: Audit) -> None:
        script = "\n".join(repair_script(found.drift, self.target.terraform, self.target.login))
        result = subprocess.run(
            ["bash", "-c", script],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert result.returncode == 0, f"{script}\n{result.stdout}{result.stderr}"


@pytest.fixture(scope="module")
def amended(tmp_path_factory: pytest.TempPathFactory, applied: Applied, public_url: str) -> Amended:
    folder = tmp_path_factory.mktemp("amends")
    secrets = write_secrets(folder / "secrets", applied.realm.secrets | {"bootstrap-admin": applied.bootstrap_secret})
    values = [variable.removeprefix("-var=").split("=", 1) for variable in applied.variables]
    file = folder / "keycloak.tfvars"
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in values))
    wishes = Wishes(
        keycloak_url=applied.realm.keycloak_url,
        realm=applied.realm.name,
        public_url=public_url,
        issuer=applied.realm.issuer,
        ssl_required="external",
        secrets=secrets,
        known=folder / "registered-clients.json",
        terraform=applied.root.path,
        var_files=(file,),
    )
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TF_VAR_", "KC_"))}
    kcadm = ensure_distribution() / "bin"
    environment = inherited | {
        "HOME": str(folder),  # kcadm.sh keeps its login there
        "PATH": f"{kcadm}{os.pathsep}{os.environ['PATH']}",
        "KC_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "TF_CLI_ARGS_apply": "-auto-approve -input=false -no-color",
        "CHECKPOINT_DISABLE": "1",
    }
    return Amended(find_target(wishes), Tamperer(applied.realm.admin, applied.realm.name), environment)


@pytest.mark.requirement("AUDIT-REPAIR")
@pytest.mark.parametrize("batch", sorted({row["batch"] for row in tamperings()}))
def test_after_the_printed_repair_a_second_audit_is_clean(amended: Amended, batch: int) -> None:
    assert [one.finding.sentence for one in amended.look().drift] == []
    for row in tamperings(batch):
        amended.tamperer.tamper(row)
    found = amended.look()
    assert {row["rule"] for row in tamperings(batch)} <= {one.finding.id for one in found.drift}
    amended.repair(found)
    assert [(one.finding.sentence, one.finding.fix) for one in amended.look().drift] == []
