"""No older Keycloak on a newer one's database: it would start there, warn in its log only, and misread the realm."""

import re

from ops.errors import OperatorError


def refuse_downgrade(there: str, now: str, way_back: str) -> None:
    """Refuse a Keycloak that is older than the one that has migrated the database. See docs/faults.md, section Upgrade.

    Args:
        there: version of the Keycloak that used the database last, such as 26.7.4; empty where there is none.
        now: version of the one that is to be started.
        way_back: what to do instead.

    Raises:
        OperatorError: it is older.
    """
    if _numbers(there) > _numbers(now):
        raise OperatorError(f"The database is one of Keycloak {there}; this release has {now}.", way_back)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
