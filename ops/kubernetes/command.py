"""The command `secure-mcp kubernetes`: the service's manifests for a cluster, on stdout."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer
import yaml

from ops.environment import CONTRACT, REPOSITORY
from ops.errors import OperatorError
from ops.kubernetes import workload
from ops.kubernetes.network import network_policy
from ops.kubernetes.values import NAME, Cluster
from ops.output import show_json
from service.contract import ContractError, load_contract

ENVIRONMENTS: Final = ("staging", "prod")


def kubernetes(
    image: Annotated[str, typer.Option(help="The service's image, with a version or a digest.")],
    edge_network: Annotated[str, typer.Option(help="Network of the ingress controller's pods, such as 10.244.0.0/16.")],
    edge_namespace: Annotated[str, typer.Option(help="Namespace of the ingress controller.")] = "ingress-nginx",
    namespace: Annotated[str, typer.Option(help="Namespace of service, Keycloak and Redis.")] = NAME,
    keycloak: Annotated[str, typer.Option(help="Keycloak's Service and port.")] = "keycloak-service:8080",
    monitoring_namespace: Annotated[str, typer.Option(help="Namespace of Prometheus.")] = "monitoring",
    environment: Annotated[str, typer.Option(help="staging or prod; its tfvars file has the URLs.")] = "prod",
    public_url: Annotated[str | None, typer.Option(help="Another origin of the service.")] = None,
    keycloak_public_url: Annotated[str | None, typer.Option(help="Another origin of Keycloak.")] = None,
    replicas: Annotated[int, typer.Option(min=2, max=1000, help="Pods.")] = 2,
    max_replicas: Annotated[int | None, typer.Option(max=1000, help="Pods under load; not given: no more.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes in each pod.")] = 2,
    caller_requests_per_minute: Annotated[
        int, typer.Option(min=0, help="Requests that one caller may send to all pods together; 0: any number.")
    ] = 3000,
    memory: Annotated[int, typer.Option(min=256, help="MiB of a pod; 100 for each worker and 150.")] = 512,
    cpus: Annotated[int, typer.Option(min=1, help="Cores that a pod may take.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print a List as JSON; kubectl takes that as well.")] = False,
) -> None:
    """Print manifests of the service for Kubernetes: pods, network policy, disruption budget, contract; no secret.

    \b
    Examples:
      secure-mcp kubernetes --image registry/secure-mcp:1.2.0 --edge-network 10.244.0.0/16 > manifests.yaml
      kubectl diff -f manifests.yaml
    """
    if environment not in ENVIRONMENTS:
        raise OperatorError(f"--environment is {environment[:40]!r}.", f"Write one of: {', '.join(ENVIRONMENTS)}.")
    cluster = Cluster(
        image=image,
        public_url=public_url or _declared(environment, "public_url"),
        keycloak_public_url=keycloak_public_url or _declared(environment, "keycloak_public_url"),
        edge_network=edge_network,
        edge_namespace=edge_namespace,
        namespace=namespace,
        keycloak=keycloak,
        monitoring_namespace=monitoring_namespace,
        environment=environment,
        replicas=replicas,
        max_replicas=replicas if max_replicas is None else max_replicas,
        workers=workers,
        caller_requests_per_minute=caller_requests_per_minute or None,
        memory=memory,
        cpus=cpus,
    )
    made = manifests(cluster)
    if as_json:
        show_json({"apiVersion": "v1", "kind": "List", "items": made})
    else:
        sys.stdout.write(as_yaml(made))


def _declared(environment: str, name: str) -> str:
    """Return a text of the environment's tfvars file, from which the other ways to run the service take it as well."""
    file = REPOSITORY / "terraform" / "environments" / environment / "docker.tfvars"
    found = re.search(rf'^{name}\s*=\s*"([^"]*)"', file.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise OperatorError(
            f"{file.name} of {environment} has no {name}.", f"Write it there, or give --{name.replace('_', '-')}."
        )
    return found[1]


def manifests(cluster: Cluster) -> Sequence[workload.Manifest]:
    """Return everything of the service, in the order in which a cluster wants it.

    Raises:
        OperatorError: the access contract is wrong.
    """
    try:
        load_contract(CONTRACT)
    except ContractError as error:
        raise OperatorError(str(error), "Mend the access contract, then run the command again.") from error
    contract = CONTRACT.read_text(encoding="utf-8")
    scaled = [workload.autoscaler(cluster)] if cluster.max_replicas > cluster.replicas else []
    return [
        workload.namespace(cluster),
        network_policy(cluster),
        workload.contract_map(cluster, contract),
        workload.service(cluster),
        workload.deployment(cluster, contract),
        workload.disruption_budget(cluster),
        *scaled,
    ]


class _Dumper(yaml.SafeDumper):
    """Writes what stands twice twice, and text of several lines as it is read."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class passes it
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml(made: Sequence[workload.Manifest]) -> str:
    """Return manifests as kubectl takes them."""
    return yaml.dump_all(made, Dumper=_Dumper, sort_keys=False, explicit_start=True, width=120)
