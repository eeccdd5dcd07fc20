"""What is done inside the stack's PostgreSQL: roles that change while it runs, and a dump that comes back."""

from collections.abc import Mapping
from pathlib import Path

from ops.containers.engine import docker, exists
from ops.containers.environment import OBSERVERS, StackEnvironment
from ops.containers.secret_files import POSTGRES_ADMIN, POSTGRES_MONITOR

# pg_monitor reads statistics and settings of the server, and no table of anybody.
_MONITOR = """
SELECT 'CREATE ROLE monitor' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \\gexec
ALTER ROLE monitor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 4
  PASSWORD :'new';
GRANT pg_monitor TO monitor;
GRANT CONNECT ON DATABASE postgres TO monitor;
"""
_NO_MONITOR = """
SELECT 'DROP OWNED BY monitor' WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \\gexec
DROP ROLE IF EXISTS monitor;
"""

_AS_KEYCLOAK = ("--host=127.0.0.1", "--username=keycloak", "--dbname=keycloak")
# One point in time, in PostgreSQL's custom format; and back, all of it or nothing.
DUMP = ("pg_dump", *_AS_KEYCLOAK, "--format=custom", "--no-owner", "--no-privileges")
FILL = ("pg_restore", *_AS_KEYCLOAK, "--no-owner", "--exit-on-error", "--single-transaction")
PASSWORD_FILE = "--env=PGPASSFILE=/run/secrets/pgpass"  # noqa: S105 - where it is, in the container
_COUNT = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


def count_tables(environment: StackEnvironment) -> int:
    """Return how many tables Keycloak's database has.

    Raises:
        OperatorError: it does not answer.
    """
    command = ["psql", "-qAtX", *_AS_KEYCLOAK, f"--command={_COUNT}"]
    return int(docker("exec", PASSWORD_FILE, environment.container("postgres"), *command).strip() or 0)


def fill(environment: StackEnvironment, dump: Path) -> None:
    """Restore a dump into Keycloak's empty database, all of it or nothing.

    Raises:
        OperatorError: PostgreSQL does not take it.
    """
    container = environment.container("postgres")
    with dump.open("rb") as content:
        docker("exec", "--interactive", PASSWORD_FILE, container, *FILL, stdin=content, deadline_s=1800)


def alter_role(environment: StackEnvironment, role: str, new: str, admin: str) -> None:
    """Give a role a new password.

    Args:
        environment: the environment.
        role: name of the role.
        new: the new password.
        admin: the password of `postgres` as it is now.

    Raises:
        OperatorError: the database does not answer.
    """
    _run(environment, f"ALTER ROLE {role} PASSWORD :'new';\n", new, admin)


def ensure_monitor(environment: StackEnvironment, secrets: Mapping[str, str]) -> None:
    """Make the role of PostgreSQL's exporter; where nothing is observed any more, take away all that an apply leaves.

    Raises:
        OperatorError: the database does not answer.
    """
    if environment.observers:
        _run(environment, _MONITOR, secrets[POSTGRES_MONITOR], secrets[POSTGRES_ADMIN])
        environment.remember(monitor_role=True)
        return
    if environment.recall("monitor_role"):
        _run(environment, _NO_MONITOR, "none", secrets[POSTGRES_ADMIN])
        environment.remember(monitor_role=None)
    for part in OBSERVERS:
        if exists("volume", environment.container(f"secrets-{part}")):
            docker("volume", "rm", environment.container(f"secrets-{part}"))


def _run(environment: StackEnvironment, script: str, new: str, admin: str) -> None:
    # Values of ours are URL-safe base64: nothing in them needs quoting, and stdin is no argument.
    command = ["exec", "--interactive", environment.container("postgres"), "bash", "-c"]
    shell = (
        "read -r PGPASSWORD; export PGPASSWORD; exec psql -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -d postgres"
    )
    docker(*command, shell, stdin=f"{admin}\n\\set new '{new}'\n{script}".encode())
