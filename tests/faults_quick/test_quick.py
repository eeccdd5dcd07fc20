"""The drills that every run of CI makes: those that count, and hang least on the clock."""

from tests.faults.test_database import test_database_killed
from tests.faults.test_edge import test_a_broken_configuration_is_not_loaded, test_reloads
from tests.faults.test_keycloak import test_killed
from tests.faults.test_redis import test_without_room_or_content

__all__ = [
    "test_a_broken_configuration_is_not_loaded",
    "test_database_killed",
    "test_killed",
    "test_reloads",
    "test_without_room_or_content",
]
