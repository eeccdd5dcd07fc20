"""`secure-mcp adopt`: the command line."""

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import yaml

from ops.admin import AdminClient
from ops.adopt.judge import judge
from ops.adopt.plan import first_plan
from ops.adopt.write import page, write_files, write_secrets
from ops.audit.collect import collect_realm
from ops.environment import CONTRACT
from ops.errors import OperatorError
from ops.output import done, show, show_json
from ops.secrets import ACCOUNTS, read_secret


def adopt(
    realm: Annotated[str, typer.Argument(help="Name of the live realm.")],
    keycloak_url: Annotated[str, typer.Option(help="Base URL of Keycloak, where its administration answers.")],
    public_url: Annotated[str, typer.Option(help="Origin of the MCP service.")],
    secret_file: Annotated[Path, typer.Option(help="File with the secret of the account that reads.")],
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("adopted"),
    client_id: Annotated[str, typer.Option(help="Service account of the server's administrator.")] = "bootstrap-admin",
    login_realm: Annotated[str, typer.Option(help="Realm of that account.")] = "master",
    environment: Annotated[str, typer.Option(help="dev, staging or prod.")] = "dev",
    plan: Annotated[
        bool, typer.Option("--plan/--no-plan", help="Make the first plan, and refuse when it destroys.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read a live realm, and write the contract, values and import blocks that bring it under Terraform.

    The realm is only read. Nothing is replaced: the first plan has no destroy, and ADOPT.md lists what it changes.
    Secrets go to files of their own, never to a state. Exit code: 0 written, 1 the plan would
    destroy, 2 usage, 3 not reached.

    \b
    Examples:
      secure-mcp adopt agents --keycloak-url http://localhost:8080 --public-url http://localhost:8000 --secret-file key
      secure-mcp adopt agents --keycloak-url https://id.example --public-url https://mcp.example --secret-file k --json
    """
    if realm == "master":
        raise OperatorError("The realm master administers the server and is not adopted.", "Name another realm.")
    secret = read_secret(secret_file.absolute().parent, secret_file.name)
    with AdminClient(keycloak_url.rstrip("/"), login_realm, client_id, secret) as admin:
        if admin.find(f"/{realm}") is None:
            raise OperatorError(f"There is no realm {realm}.", "Write its name as it stands in its issuer.")
        live = collect_realm(admin, realm)
    base = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    schema = json.loads(CONTRACT.with_name("access.schema.json").read_text(encoding="utf-8"))
    adoption = judge(live, base, schema)
    values = {
        "environment": environment,
        "keycloak_url": keycloak_url.rstrip("/"),
        "public_url": public_url.rstrip("/"),
    }
    folder = output.absolute()
    write_files(folder, adoption, live, values)
    fresh = write_secrets(folder / "secrets", adoption, live)
    found = None
    if plan:
        kinds = adoption.contract["clients"].items()
        names = [*(name for name, entry in kinds if entry["kind"] != "public"), *ACCOUNTS]
        secrets = {
            "TF_VAR_client_secrets": json.dumps({name: read_secret(folder / "secrets", name) for name in names}),
            "TF_VAR_admin_realm": login_realm,
            "TF_VAR_admin_client_id": client_id,
            "TF_VAR_admin_client_secret": secret,
        }
        with tempfile.TemporaryDirectory() as scratch:
            found = first_plan(folder, Path(scratch), secrets)
    (folder / "ADOPT.md").write_text(page(output, adoption, fresh, found), encoding="utf-8")
    if as_json:
        show_json(
            {
                "folder": str(folder),
                "clients": sorted(adoption.clients),
                "scopes": sorted(adoption.scopes),
                "outside": adoption.outside,
                "changed": adoption.changed,
                "new_secrets": fresh,
                "plan": None if found is None else [dataclasses.asdict(change) for change in found],
            }
        )
        return
    done(f"wrote access.yaml, keycloak.tfvars, imports.tf, secrets/ and ADOPT.md to {output}")
    show((folder / "ADOPT.md").read_text(encoding="utf-8"))
