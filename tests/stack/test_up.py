"""From nothing to a stack that proves itself, and a second time without a change."""

import pytest

from ops.containers.environment import PARTS
from ops.containers.images import image_names
from ops.proof import prove
from tests.stack.conftest import RunningStack


@pytest.mark.requirement("STACK-UP")
@pytest.mark.parametrize("part", PARTS)
def test_every_container_is_healthy(stack: RunningStack, part: str) -> None:
    assert stack.healthy(part)


@pytest.mark.requirement("STACK-UP")
def test_the_stack_proves_itself_through_the_edge(stack: RunningStack) -> None:
    assert stack.environment.mcp_url.startswith("https://")
    assert [proof for proof in prove(stack.environment) if not proof.holds] == []


@pytest.mark.requirement("STACK-UP")
def test_the_second_plan_of_both_roots_is_empty(stack: RunningStack) -> None:
    for root in (stack.docker_root(), stack.realm_root()):
        root.prepare()
        assert root.plan() is False, root.show().get("resource_changes")


@pytest.mark.requirement("STACK-UP")
def test_images_are_named_by_their_sources(stack: RunningStack) -> None:
    assert image_names().service == stack.inspect("service")["Config"]["Image"] or stack.inspect("service")["Image"]
    assert stack.environment.recall("service_image") == image_names().service
