"""Prints the drills of other tiers that need neither an engine nor a host, for `make faults` to run beside its own."""

from tests.faults.drills import load_drills

CHEAP = {"unit", "security", "realm", "terraform-keycloak"}


def cheap_tests() -> list[str]:
    """Return their tests as pytest takes them."""
    return sorted({row.test for row in load_drills().values() if row.form in CHEAP})


if __name__ == "__main__":
    print("\n".join(cheap_tests()))
