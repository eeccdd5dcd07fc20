"""The rate of one caller, counted by one worker."""

import asyncio

import pytest

from service.auth import rate as module
from service.auth.rate import CallerRate

pytestmark = pytest.mark.requirement("CALLER-RATE")

BEGIN = 1_800_000_000.0  # of a minute


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def granted(rate: CallerRate, number: int, subject: str = "ada") -> int:
    return sum(rate.wait(subject) == 0 for _ in range(number))


def test_a_caller_gets_its_rate_and_no_more_and_others_have_theirs(clock: Clock) -> None:
    rate = CallerRate(60, clock=clock)
    assert granted(rate, 100) == 60
    assert granted(rate, 100, "grace") == 60


def test_the_turn_of_a_minute_gives_no_second_helping(clock: Clock) -> None:
    rate = CallerRate(60, clock=clock)
    clock.now = BEGIN + 59
    assert granted(rate, 100) == 60
    clock.now = BEGIN + 60
    assert granted(rate, 100) == 0
    clock.now = BEGIN + 90  # half of the minute before counts
    assert granted(rate, 100) == 30


def test_two_minutes_without_a_request_are_forgotten(clock: Clock) -> None:
    rate = CallerRate(60, clock=clock)
    assert granted(rate, 100) == 60
    clock.now = BEGIN + 121
    assert granted(rate, 100) == 60


@pytest.mark.parametrize("into", [0, 1, 29.5, 59])
@pytest.mark.parametrize("before", [0, 20, 60])
def test_who_waits_as_long_as_told_is_let_through(clock: Clock, into: float, before: int) -> None:
    rate = CallerRate(60, clock=clock)
    clock.now = BEGIN - 30
    granted(rate, before)
    clock.now = BEGIN + into
    granted(rate, 100)
    seconds = rate.wait("ada")
    assert 1 <= seconds <= 61
    clock.now += seconds - 1.01
    assert seconds == 1 or rate.wait("ada") > 0
    clock.now += 1.01
    assert rate.wait("ada") == 0


def test_who_is_refused_does_not_wait_longer_for_having_asked(clock: Clock) -> None:
    rate = CallerRate(60, clock=clock)
    granted(rate, 10_000)
    clock.now = BEGIN + 61
    assert rate.wait("ada") == 0


def test_a_clock_that_is_set_back_stops_nobody_for_longer_than_a_minute(clock: Clock) -> None:
    rate = CallerRate(60, clock=clock)
    granted(rate, 100)
    clock.now = BEGIN - 3600
    assert granted(rate, 100) == 60


def test_memory_is_bounded_and_who_calls_now_is_kept(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CALLERS", 100)
    rate = CallerRate(5, clock=clock)
    for number in range(100):
        rate.wait(f"old {number}")
    clock.now = BEGIN + 180
    assert granted(rate, 10) == 5
    assert granted(rate, 10) == 0
    for number in range(300):
        rate.wait(f"new {number}")
        assert len(rate._counts) <= 100


def test_whom_a_full_memory_forgets_has_not_called_for_a_minute(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CALLERS", 100)
    rate = CallerRate(60, clock=clock)
    for number in range(98):
        rate.wait(f"old {number}")
    clock.now = BEGIN + 119
    assert granted(rate, 100) == 60
    clock.now = BEGIN + 120
    rate.wait("new")
    rate.wait("one more")
    assert rate._counts.keys() == {"ada", "new", "one more"}
    assert rate.wait("ada") > 0


def test_without_redis_nothing_is_shared_and_nothing_runs(clock: Clock) -> None:
    async def main() -> None:
        rate = CallerRate(1, clock=clock)
        await rate.start()
        assert len(asyncio.all_tasks()) == 1
        await rate.stop()
        assert rate.reachable is None

    asyncio.run(main())
