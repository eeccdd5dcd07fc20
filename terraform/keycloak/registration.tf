# Dynamic client registration (RFC 7591): the ten policies that Keycloak makes with every realm, adopted and made explicit,
# and two of ours: who registers with an initial access token asks the person, and gets no full scope, either.
# Anonymous registration is closed by trusting no host but one that cannot exist (RFC 6761 section 6.4): Keycloak keeps the
# hosts it has when the list goes away or is empty.

locals {
  _registration_open = local._limits.registration.anonymous == "trusted_hosts"

  _trusted_hosts = join(",", local._registration_open && length(local._limits.registration.trusted_hosts) > 0 ?
  local._limits.registration.trusted_hosts : ["closed.invalid"])

  _allowed_scopes = {
    # `openid` is no client scope but clients send it; the defaults and optionals of the realm are allowed beside it.
    "allow-default-scopes"  = "true"
    "allowed-client-scopes" = "openid"
  }
  # Only what pairwise subjects need: a mapper of a client's own choice could write roles into its tokens.
  _allowed_mappers = { "allowed-protocol-mapper-types" = "oidc-sha256-pairwise-sub-mapper" }
  # Never empty: Keycloak drops an empty value, and the provider cannot see what is added to a policy without any.
  _web_origins = { "web-origins" = join(",", concat([var.public_url], local._limits.registration.web_origins)) }

  _registration_policies = {
    "anonymous/allowed-client-templates" = { name = "Allowed Client Scopes", config = local._allowed_scopes }
    "anonymous/allowed-protocol-mappers" = { name = "Allowed Protocol Mapper Types", config = local._allowed_mappers }
    "anonymous/consent-required"         = { name = "Consent Required", config = {} }
    "anonymous/max-clients"              = { name = "Max Clients Limit", config = { "max-clients" = tostring(local._limits.registration.max_clients) } }
    "anonymous/registration-web-origins" = { name = "Allowed Registration Web Origins", config = local._web_origins }
    "anonymous/scope"                    = { name = "Full Scope Disabled", config = {} }
    "anonymous/trusted-hosts" = { name = "Trusted Hosts", config = {
      "trusted-hosts"                                = local._trusted_hosts
      "host-sending-registration-request-must-match" = "true"
      "client-uris-must-match"                       = "true"
    } }
    "authenticated/allowed-client-templates" = { name = "Allowed Client Scopes", config = local._allowed_scopes }
    "authenticated/allowed-protocol-mappers" = { name = "Allowed Protocol Mapper Types", config = local._allowed_mappers }
    "authenticated/consent-required"         = { name = "Consent Required", config = {} }
    "authenticated/scope"                    = { name = "Full Scope Disabled", config = {} }
    "authenticated/registration-web-origins" = { name = "Allowed Registration Web Origins", config = local._web_origins }
  }
}

import {
  for_each = { for key, policy in local._registration_policies : key => policy
    if var.adopt_registration_policies && var.components_declared && !contains(["authenticated/consent-required", "authenticated/scope"], key)
  }

  to = keycloak_realm_client_registration_policy.main[each.key]
  id = "${var.realm_name}/${each.value.name}/${split("/", each.key)[1]}/${split("/", each.key)[0]}"
}

resource "keycloak_realm_client_registration_policy" "main" {
  for_each = var.components_declared ? local._registration_policies : {}

  realm_id    = local._realm
  name        = each.value.name
  provider_id = split("/", each.key)[1]
  sub_type    = split("/", each.key)[0]
  config      = each.value.config
}
