"""Plans of the cases, made by the real providers."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.admin import AdminClient
from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer, ensure_distribution, make_instance
from tests.review.registry import DIGEST, registry
from tests.support.relay import free_port

CASES = Path(__file__).parent / "cases"
Plans = dict[str, dict[str, Any]]


def terraform(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Run terraform in a folder and return its output.

    Raises:
        subprocess.CalledProcessError: it fails.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KEYCLOAK_"))}
    done = subprocess.run(
        ["terraform", arguments[0], "-no-color", *arguments[1:]],
        cwd=folder,
        env=own | {"CHECKPOINT_DISABLE": "1"} | dict(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout


def planned(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Plan and return the plan."""
    terraform(folder, "plan", "-input=false", "-out=case.tfplan", *options, env=env)
    plan: dict[str, Any] = json.loads(terraform(folder, "show", "-json", "case.tfplan", env=env))
    return plan


def docker_plans(folder: Path) -> Plans:
    """Make the containers of the cases as they should be, and plan them weakened. Needs an engine."""
    root = folder / "docker"
    shutil.copytree(CASES / "docker", root)
    with registry() as address:
        env = {"TF_VAR_registry": address, "TF_VAR_digest": DIGEST}
        terraform(root, "init", "-input=false", env=env)
        plans = {"docker-created": planned(root, env=env)}
        try:
            terraform(root, "apply", "-input=false", "-auto-approve", env=env)
            weak = ("-refresh=false", "-var=weak=true", "-var=engine=tcp://192.0.2.1:2375")
            plans["docker-weakened"] = planned(root, *weak, env=env)
        finally:
            terraform(root, "destroy", "-input=false", "-auto-approve", env=env)
            subprocess.run(["docker", "volume", "rm", "--force", "review-secrets"], check=True, capture_output=True)
    return plans


def keycloak_plans(folder: Path) -> Plans:
    """Make the realms of the cases on a server of their own, and plan them weakened. Needs the distribution."""
    secret = secrets.token_urlsafe(32)
    make_instance(ensure_distribution(), folder / "keycloak")
    server = KeycloakServer(folder / "keycloak", free_port(), free_port(), secret, {})
    server.start()
    try:
        server.wait_ready()
        with AdminClient(server.url, "master", BOOTSTRAP_CLIENT, secret) as admin:
            return keycloak_plans_on(folder, server.url, secret, admin)
    finally:
        server.stop()


def keycloak_plans_on(folder: Path, url: str, secret: str, admin: AdminClient) -> Plans:
    """Make the realms of the cases on a server that runs, and plan them weakened.

    Args:
        folder: an empty folder.
        url: origin of the server.
        secret: secret of `bootstrap-admin`.
        admin: the same account.
    """
    root = folder / "cases"
    shutil.copytree(CASES / "keycloak", root)
    env = {"TF_VAR_url": url, "TF_VAR_admin_secret": secret}
    let_go = root / "let_go.tf"
    let_go.write_text('resource "terraform_data" "let_go" {}\n', encoding="utf-8")
    terraform(root, "init", "-input=false", env=env)
    plans = {"keycloak-created": planned(root, env=env)}
    try:
        # Realms that are made at the same time can collide in the embedded database.
        terraform(root, "apply", "-input=false", "-auto-approve", "-parallelism=1", env=env)
        admin.put("/review-other", {"accessCodeLifespan": 120})
        let_go.write_text(
            "removed {\n  from = terraform_data.let_go\n\n  lifecycle {\n    destroy = false\n  }\n}\n",
            encoding="utf-8",
        )
        weak = ("-var=weak=true", "-var=api_token=not-a-secret")
        plans["keycloak-weakened"] = planned(root, *weak, env=env)
        plans["keycloak-targeted"] = planned(root, "-target=keycloak_openid_client.shop", *weak, env=env)
    finally:
        # The realms go with everything in them; one of them is protected from Terraform.
        for realm in ("review-main", "review-other", "review-renamed", "review-steady"):
            if admin.find(f"/{realm}"):
                admin.delete(f"/{realm}")
    return plans


def shape_plans(folder: Path) -> Plans:
    """Plan the shapes as they would be made; needs neither server nor engine."""
    plans: Plans = {}
    for source in sorted(path for path in (CASES / "shapes").iterdir() if path.is_dir()):
        root = folder / source.name
        shutil.copytree(source, root)
        terraform(root, "init", "-input=false")
        plans[f"shape-{source.name}"] = planned(root, "-refresh=false")
    return plans
