"""Fixtures and plugins of every tier; what only one tier needs stands in its own conftest.py."""

pytest_plugins = [
    "tests.tiers",
    "tests.faults.recorder",
    "tests.support.fixtures",
    "tests.support.fixtures_people",
]
