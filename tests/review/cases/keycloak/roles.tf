resource "keycloak_role" "clerk" {
  realm_id        = keycloak_realm.main.id
  name            = "clerk"
  composite_roles = var.weak ? [keycloak_role.auditor.id] : null
}

resource "keycloak_role" "auditor" {
  realm_id = keycloak_realm.main.id
  name     = "auditor"
}

resource "keycloak_role" "left_out" {
  for_each = var.weak ? {} : { old = true }
  realm_id = keycloak_realm.main.id
  name     = "left-out"
}

data "keycloak_openid_client" "realm_management" {
  realm_id  = keycloak_realm.main.id
  client_id = "realm-management"
}

resource "keycloak_openid_client_service_account_role" "job" {
  for_each                = var.weak ? toset(["realm-admin", "manage-clients"]) : toset([])
  realm_id                = keycloak_realm.main.id
  service_account_user_id = keycloak_openid_client.job.service_account_user_id
  client_id               = data.keycloak_openid_client.realm_management.id
  role                    = each.key
}

resource "keycloak_openid_client_service_account_realm_role" "job" {
  for_each                = local.new
  realm_id                = keycloak_realm.main.id
  service_account_user_id = keycloak_openid_client.job.service_account_user_id
  role                    = keycloak_role.clerk.name
}

resource "keycloak_default_roles" "main" {
  realm_id      = keycloak_realm.main.id
  default_roles = concat(["offline_access", "uma_authorization"], var.weak ? [keycloak_role.clerk.name] : [])
}

resource "keycloak_generic_role_mapper" "added" {
  for_each        = local.new
  realm_id        = keycloak_realm.main.id
  client_scope_id = keycloak_openid_client_scope.orders.id
  role_id         = keycloak_role.clerk.id
}

resource "keycloak_users_permissions" "main" {
  for_each = local.new
  realm_id = keycloak_realm.main.id

  impersonate_scope {
    decision_strategy = "UNANIMOUS"
  }
}

resource "keycloak_openid_client_permissions" "shop" {
  for_each  = local.new
  realm_id  = keycloak_realm.main.id
  client_id = keycloak_openid_client.shop.id

  token_exchange_scope {
    decision_strategy = "UNANIMOUS"
  }
}

resource "keycloak_user" "person" {
  for_each = local.new
  realm_id = keycloak_realm.main.id
  username = "person"

  initial_password {
    value = "not-a-secret"
  }
}

resource "keycloak_group" "left_out" {
  for_each = var.weak ? {} : { old = true }
  realm_id = keycloak_realm.main.id
  name     = "left-out"
}
