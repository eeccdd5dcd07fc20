"""Commands about clients that nobody declared: clients list, clients expire."""

import dataclasses
import time
from typing import Annotated

import typer

from ops.admin import AdminClient
from ops.containers.environment import StackEnvironment, find_environment
from ops.environment import CONTRACT, REALM, Environment
from ops.errors import OperatorError
from ops.output import done, note, show, show_json, show_table
from ops.registered import Registered, age, delete, registered_clients
from ops.secrets import read_secret
from ops.trust import trust_authority
from service.contract import Contract, ContractError, load_contract

clients = typer.Typer(no_args_is_help=True, help="Look after clients that registered by themselves.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@clients.command("list")
def list_clients(as_json: JsonOption = False) -> None:
    """Show the clients that nobody declared: how each came to be, and when it was last used.

    Examples:

      secure-mcp clients list

      secure-mcp clients list --json
    """
    contract = _contract()
    with _login(find_environment()) as admin:
        found = registered_clients(admin, REALM, contract)
    _show(found, as_json)


@clients.command()
def expire(
    unused_days: Annotated[
        int | None, typer.Option(min=1, help="Days without use; registration.unused_days of access.yaml.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Delete them. Without it nothing is changed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Name the clients that registered by themselves and that nobody uses, and delete them with --apply.

    A client with an open session is in use. One that was made by hand is listed by `clients list` and never deleted.

    Examples:

      secure-mcp clients expire

      secure-mcp clients expire --unused-days 30 --apply
    """
    contract = _contract()
    days = unused_days or contract.registration["unused_days"]
    kept = contract.lifetimes["events"] // 86400
    if days > kept:
        raise OperatorError(
            f"The realm keeps events for {kept} days, so nobody can tell what was unused for {days}.",
            f"Write --unused-days {kept} or less, or raise lifetimes.events in access.yaml.",
        )
    with _login(find_environment()) as admin:
        found = [item for item in registered_clients(admin, REALM, contract) if item.may_expire(days, time.time())]
        if apply:
            delete(admin, REALM, found)
    _show(found, as_json)
    if not found:
        done(f"no client that registered by itself was unused for {days} days")
    elif apply:
        done(f"deleted {len(found)}")
    else:
        note(f"nothing was deleted; delete these {len(found)}: secure-mcp clients expire --unused-days {days} --apply")


def _contract() -> Contract:
    try:
        return load_contract(CONTRACT)
    except ContractError as error:
        raise OperatorError(str(error), "Mend access.yaml, then run the command again.") from error


def _login(environment: Environment | StackEnvironment) -> AdminClient:
    url = environment.keycloak_url
    if isinstance(environment, StackEnvironment):
        trust_authority(environment.authority)
        url = environment.operator_url
    return AdminClient(url, REALM, "terraform", read_secret(environment.secrets, "terraform"))


def _show(found: list[Registered], as_json: bool) -> None:
    if as_json:
        show_json([dataclasses.asdict(item) for item in found])
    elif found:
        rows = [(item.client_id, item.name, item.kind, age(item)) for item in found]
        show_table(("client id", "name", "came by", "last used"), rows)
    else:
        show("Every client of the realm is declared.")
