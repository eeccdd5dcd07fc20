# Everything from one map, machines with roles, a second provider configuration.
provider "keycloak" {
  alias         = "second"
  url           = "http://sso.internal.example.com"
  client_id     = "deployer"
  initial_login = false
}

locals {
  machines = {
    collector = { roles = ["view-events"], hours = 1 }
    janitor   = { roles = ["manage-users"], hours = 24 }
  }
  grants = merge([for name, machine in local.machines : { for role in machine.roles : "${name}-${role}" => { name = name, role = role } }]...)
}

resource "keycloak_openid_client" "machine" {
  for_each = local.machines

  realm_id                 = "platform"
  client_id                = each.key
  access_type              = "CONFIDENTIAL"
  service_accounts_enabled = true
  full_scope_allowed       = false
  access_token_lifespan    = each.value.hours * 3600
  client_secret_wo         = each.key
  client_secret_wo_version = "1"
}

resource "keycloak_openid_client_service_account_role" "machine" {
  for_each = local.grants

  realm_id                = "platform"
  service_account_user_id = keycloak_openid_client.machine[each.value.name].service_account_user_id
  client_id               = "5f0e5b1e-0000-4000-8000-000000000000"
  role                    = each.value.role
}

resource "keycloak_openid_client_scope" "api" {
  provider = keycloak.second
  for_each = toset(["read", "write"])

  realm_id = "platform"
  name     = "api:${each.key}"
}

resource "keycloak_openid_audience_protocol_mapper" "api" {
  provider = keycloak.second
  for_each = keycloak_openid_client_scope.api

  realm_id                 = "platform"
  client_scope_id          = each.value.id
  name                     = "audience"
  included_custom_audience = "https://api.example.com"
}
