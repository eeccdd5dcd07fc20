# What all declared clients share. Without a secret: clients_public.tf; with one: clients_confidential.tf.

locals {
  _client_default_scopes = concat(local._default_scopes, [
    keycloak_openid_client_scope.declared.name, keycloak_openid_client_scope.roles.name,
  ])

  # Keycloak attaches it to a service account whenever that client is written; left out, no plan would stay empty.
  _service_account_scope = "service_account"

  # The realm's values, said again: an attribute that is left out can be changed by hand without any plan showing it.
  _client_lifespans = { for name in ["access_token", "session_idle", "session_max", "offline_idle", "offline_max"] :
    name => tostring(local._limits.lifetimes[name])
  }

  # Attributes the provider knows no argument for. Only what is written here is watched.
  _client_attributes = {
    "access.token.header.type.rfc9068"            = "false"
    "access.token.signed.response.alg"            = "RS256"
    "id.token.signed.response.alg"                = "RS256"
    "client.use.lightweight.access.token.enabled" = "false"
    "oidc.ciba.grant.enabled"                     = "false"
    "require.pushed.authorization.requests"       = "false"
    "tls.client.certificate.bound.access.tokens"  = "false"
    "token.response.type.bearer.lower-case"       = "false"
    "use.jwks.url"                                = "false"
  }
}
