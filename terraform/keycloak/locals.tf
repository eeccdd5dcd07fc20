locals {
  _origin_pattern = "^https?://[A-Za-z0-9.-]+(:[0-9]+)?$"

  _clients = module.contract.clients
  _limits  = module.contract.limits
  _realm   = keycloak_realm.main.id

  _public           = { for client_id, client in local._clients : client_id => client if client.kind == "public" }
  _confidential     = { for client_id, client in local._clients : client_id => client if client.kind != "public" }
  _resource_servers = { for client_id, client in local._clients : client_id => client if client.kind == "resource_server" }
  # APIs that tools call on behalf of the caller: downstream.tf.
  _downstream_apis = toset(flatten(values(local._resource_servers)[*].downstream_apis))
  # Whose secret must be given: theirs and those of accounts.tf, which the contract does not name.
  _secret_holders = sort(concat(keys(local._confidential), keys(local._accounts)))

  # The canonical URL of the MCP endpoint: the audience of every token (RFC 8707 section 2, RFC 9728 section 2).
  _audience = "${var.public_url}/mcp"
  _issuer   = "${coalesce(var.keycloak_public_url, var.keycloak_url)}/realms/${var.realm_name}"

  _secret_versions = { for client_id in local._secret_holders :
    client_id => lookup(var.client_secret_versions, client_id, "1")
  }

  _ssl_required = coalesce(var.ssl_required, var.environment == "dev" ? "external" : "all")

  _password_policy = join(" and ", concat(
    ["length(${local._limits.passwords.min_length})"],
    local._limits.passwords.history > 0 ? ["passwordHistory(${local._limits.passwords.history})"] : [],
    local._limits.passwords.not_username ? ["notUsername(undefined)"] : [],
    local._limits.passwords.not_email ? ["notEmail(undefined)"] : [],
  ))
}
