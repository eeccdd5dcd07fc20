"""`secure-mcp review`: what it takes, what it refuses, how it ends."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ops.cli import app
from ops.errors import ExitCode, OperatorError
from ops.review.judge import judge
from ops.review.plan import read_plan
from ops.review.rules import load_rules

runner = CliRunner()


def plan_of(**after: Any) -> dict[str, Any]:
    """A plan that switches attributes of one client, in the shape that Terraform writes."""
    before = {"client_id": "shop", "realm_id": "r", "access_type": "PUBLIC", "pkce_code_challenge_method": "S256"}
    change = {"actions": ["update"], "before": before, "after": before | after, "after_unknown": {}}
    entry = {"address": "keycloak_openid_client.shop", "mode": "managed", "type": "keycloak_openid_client"}
    return {
        "format_version": "1.2",
        "resource_changes": [entry | {"name": "shop", "change": change}],
        "configuration": {"root_module": {}},
    }


def run(*arguments: str, text: str | bytes | None = None):
    return runner.invoke(app, ["review", *arguments], input=text)


def test_a_clean_plan_says_so_and_ends_with_0() -> None:
    result = run("-", text=json.dumps(plan_of()))
    assert result.exit_code == 0
    assert "stdin: nothing that weakens security." in result.stdout


def test_findings_are_sentences_that_name_the_client_and_end_with_1() -> None:
    result = run("-", text=json.dumps(plan_of(pkce_code_challenge_method="", implicit_flow_enabled=True)))
    assert result.exit_code == 1
    assert "PKCE is no longer required of client shop." in result.stdout
    assert "Client shop may use the implicit grant." in result.stdout


def test_the_threshold_decides_about_the_exit_code() -> None:
    text = json.dumps(plan_of(oauth2_device_authorization_grant_enabled=True))
    assert run("-", text=text).exit_code == 1
    assert run("-", "--threshold", "high", text=text).exit_code == 0


@pytest.mark.parametrize("form", ["text", "markdown", "json", "sarif", "junit"])
def test_each_format_comes_alone_on_stdout(form: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan_of(implicit_flow_enabled=True)))
    result = run(str(file), "--format", form)
    assert result.exit_code == 1
    if form in ("json", "sarif"):
        assert "grant-implicit" in json.dumps(json.loads(result.stdout))


def test_a_waiver_lets_it_pass_until_it_expires(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    today = datetime.now(UTC).date()
    file = tmp_path / "waivers.yaml"
    text = json.dumps(plan_of(implicit_flow_enabled=True))
    for expires, code in ((today, 0), (today - timedelta(days=1), 1)):
        file.write_text(
            "waivers:\n  - rule: grant-implicit\n    address: keycloak_openid_client.shop\n"
            f"    owner: team\n    reason: until the rewrite\n    expires: {expires}\n"
        )
        result = run("-", "--waivers", str(file), text=text)
        assert result.exit_code == code, result.stdout
        assert ("waived" if code == 0 else "waiver-expired") in result.stdout


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no JSON"),
        (b"garbage", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"PK\x03\x04", "is a saved plan, not its JSON"),
        (b"[]", "not of `terraform show`"),
        (b'{"version": 4, "resources": []}', "not of `terraform show`"),
        (b'{"format_version": "2.0", "resource_changes": []}', "has format_version 2.0"),
        (b'{"format_version": "1.0", "values": {}}', "is a state, not a plan"),
        (b'{"format_version": "1.2", "resource_changes": [{}]}', "of an unknown shape"),
        (b'{"format_version": "1.2", "resource_changes": [1]}', "of an unknown shape"),
        (b'{"format_version": "1.2", "resource_changes": 7}', "of an unknown shape"),
    ],
)
def test_what_is_no_plan_is_refused_with_the_next_step(data: bytes, says: str) -> None:
    with pytest.raises(OperatorError, match=says) as told:
        read_plan(data, "plan.json")
    assert told.value.code is ExitCode.USAGE
    assert "terraform show -json" in told.value.next_step or "1.x" in told.value.next_step


def test_a_huge_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.review.plan.MAXIMUM_BYTES", 10)
    with pytest.raises(OperatorError, match="is larger than"):
        read_plan(b" " * 11, "plan.json")


def test_values_of_an_unknown_shape_are_an_error_and_no_silence() -> None:
    with pytest.raises(OperatorError, match="of a shape that no known provider writes"):
        judge(read_plan(json.dumps(plan_of(extra_config=["x"])).encode(), "plan.json"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=timedelta(seconds=2))
@given(st.sampled_from(sorted(plan_of()["resource_changes"][0]["change"]["before"])), JSON, st.sampled_from(
    ["extra_config", "valid_redirect_uris", "web_origins", "authorization", "access_token_lifespan", "import"]
), JSON)  # fmt: skip
def test_any_value_gives_findings_or_a_clear_error(name: str, value: Any, other: str, second: Any) -> None:
    data = json.dumps(plan_of(**{name: value, other: second})).encode()
    with suppress(OperatorError):
        judge(read_plan(data, "plan.json"))


@pytest.mark.parametrize("arguments", [[], ["-", "--threshold", "bad"], ["--explain", "no-such-rule"]])
def test_wrong_use_names_the_next_step(arguments: list[str]) -> None:
    result = run(*arguments, text="{}")
    assert isinstance(result.exception, OperatorError)
    assert result.exception.code is ExitCode.USAGE
    assert result.exception.next_step


def test_every_rule_can_be_explained() -> None:
    listed = run("--explain", "list").stdout
    assert all(name in listed for name in load_rules())
    rule = load_rules()["redirect-wildcard"]
    assert all(text in run("--explain", rule.id).stdout for text in (rule.why, rule.fix, rule.reference))


def test_rules_are_whole_sentences() -> None:
    for name, rule in load_rules().items():
        for text in (rule.why, rule.fix):
            assert text.endswith("."), name
        assert not rule.sentence.endswith("."), name
        assert rule.reference, name
