"""Identity providers, directories, accounts and what people may say about themselves."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan, blocks, texts
from ops.review.rules import Hit, about, hit
from ops.review.values import host_of, is_plain

_IDPS = (
    "keycloak_oidc_identity_provider",
    "keycloak_saml_identity_provider",
    "keycloak_oidc_facebook_identity_provider",
    "keycloak_oidc_github_identity_provider",
    "keycloak_oidc_google_identity_provider",
    "keycloak_oidc_microsoft_identity_provider",
    "keycloak_oidc_openshift_v4_identity_provider",
    "keycloak_kubernetes_identity_provider",
    "keycloak_spiffe_identity_provider",
)
_URLS = (
    "authorization_url", "token_url", "jwks_url", "user_info_url", "single_sign_on_service_url", "issuer",
    "bundle_endpoint",
)  # fmt: skip
_CHECKED = ("keycloak_oidc_identity_provider", "keycloak_saml_identity_provider")


@about(*_IDPS)
def providers(change: Change, plan: Plan) -> Iterator[Hit]:
    """Identity providers."""
    alias = plan.names.own(change)
    alias = (
        change.type.removeprefix("keycloak_oidc_").removesuffix("_identity_provider")
        if alias == change.address
        else alias
    )
    urls = {name: str(change.after.get(name) or "") for name in _URLS}
    host = next((host_of(url) for url in urls.values() if "//" in url), alias)
    if not change.existed and change.remains and plan.in_existing_realm(change):
        yield hit("idp-added", host=host, alias=alias, realm=plan.names.of(change, "realm", "realm_id"))
    if change.on("trust_email"):
        yield hit("idp-trusts-email", alias=alias)
    if change.type in _CHECKED and change.off("validate_signature"):
        yield hit("idp-unsigned", alias=alias)
    if change.on("store_token"):
        yield hit("idp-keeps-tokens", alias=alias)
    for name, url in urls.items():
        before = str(change.before.get(name) or "")
        if url == before:
            continue
        if is_plain(url):
            yield hit("idp-plain", alias=alias, uri=url)
        elif before and url:
            yield hit("idp-moved", alias=alias, before=before, now=url)


@about("keycloak_ldap_user_federation")
def directories(change: Change, plan: Plan) -> Iterator[Hit]:
    """LDAP directories."""
    name = plan.names.own(change)
    url = str(change.after.get("connection_url") or "")
    tls = change.after.get("start_tls")
    if is_plain(url) and not tls and (url != change.before.get("connection_url") or change.off("start_tls")):
        yield hit("idp-plain", alias=name, uri=url)
    if change.on("trust_email"):
        yield hit("idp-trusts-email", alias=name)
    writes = change.after.get("edit_mode") == "WRITABLE" and change.before.get("edit_mode") != "WRITABLE"
    if writes or (change.existed and change.on("sync_registrations")):
        yield hit("directory-writes", realm=plan.names.of(change, "realm_id"), name=name)


@about("keycloak_user")
def accounts(change: Change, plan: Plan) -> Iterator[Hit]:
    """People in code."""
    if change.remains and not change.existed:
        yield hit("user-declared", user=plan.names.own(change))


@about("keycloak_realm_user_profile")
def profile(change: Change, plan: Plan) -> Iterator[Hit]:
    """What people may write about themselves."""
    realm, name = plan.names.of(change, "realm_id"), "unmanaged_attribute_policy"
    if change.after.get(name) == "ENABLED" and change.before.get(name) != "ENABLED":
        yield hit("profile-open", realm=realm, what="any attribute")
    if not change.existed:
        return
    before, after = (
        {str(entry.get("name")): _editors(entry) for entry in blocks(values.get("attribute"))}
        for values in (change.before, change.after)
    )
    for attribute, editors in after.items():
        if "user" in editors and attribute in before and "user" not in before[attribute]:
            yield hit("profile-open", realm=realm, what=attribute)


def _editors(entry: object) -> list[str]:
    permissions = blocks(entry.get("permissions")) if isinstance(entry, dict) else []
    return [editor for permission in permissions for editor in texts(permission.get("edit"))]
