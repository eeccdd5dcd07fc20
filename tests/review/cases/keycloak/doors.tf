# Registration, client policies, login flows, identity providers, directories, guards.

resource "keycloak_realm_client_registration_policy" "hosts" {
  realm_id    = keycloak_realm.main.id
  name        = "review hosts"
  provider_id = "trusted-hosts"
  sub_type    = "anonymous"
  config = {
    "trusted-hosts"                                = var.weak ? "shop.example.net" : "closed.invalid"
    "host-sending-registration-request-must-match" = var.weak ? "false" : "true"
    "client-uris-must-match"                       = "true"
  }
}

resource "keycloak_realm_client_registration_policy" "others" {
  for_each = merge({
    allowed-client-templates = { "allowed-client-scopes" = var.weak ? "openid,orders" : "openid" }
    allowed-protocol-mappers = { "allowed-protocol-mapper-types" = var.weak ? "oidc-hardcoded-role-mapper" : "oidc-sha256-pairwise-sub-mapper" }
    max-clients              = { "max-clients" = var.weak ? "20000" : "200" }
    registration-web-origins = { "web-origins" = var.weak ? "https://app.example.com,https://shop.example.net" : "https://app.example.com" }
  }, var.weak ? {} : { consent-required = {} })

  realm_id    = keycloak_realm.main.id
  name        = "review ${each.key}"
  provider_id = each.key
  sub_type    = "anonymous"
  config      = each.value
}

resource "keycloak_realm_client_policy_profile" "strict" {
  realm_id = keycloak_realm.main.id
  name     = "strict"

  executor {
    name          = "pkce-enforcer"
    configuration = { auto-configure = var.weak ? "false" : "true" }
  }

  dynamic "executor" {
    for_each = var.weak ? {} : { on = true }
    content {
      name          = "reject-implicit-grant"
      configuration = { auto-configure = "true" }
    }
  }
}

resource "keycloak_realm_client_policy_profile_policy" "all" {
  realm_id = keycloak_realm.main.id
  name     = "all"
  enabled  = true
  profiles = [keycloak_realm_client_policy_profile.strict.name]

  condition {
    name          = var.weak ? "client-access-type" : "any-client"
    configuration = var.weak ? { type = jsonencode(["public"]) } : null
  }
}

resource "keycloak_realm_client_policy_profile_policy" "off" {
  realm_id = keycloak_realm.main.id
  name     = "off"
  enabled  = !var.weak
  profiles = [keycloak_realm_client_policy_profile.strict.name]

  condition {
    name = "any-client"
  }

  depends_on = [keycloak_realm_client_policy_profile_policy.all]
}

resource "keycloak_authentication_flow" "login" {
  realm_id = keycloak_realm.main.id
  alias    = "review login"
}

resource "keycloak_authentication_execution" "code" {
  realm_id          = keycloak_realm.main.id
  parent_flow_alias = keycloak_authentication_flow.login.alias
  authenticator     = "auth-otp-form"
  requirement       = var.weak ? "DISABLED" : "REQUIRED"
}

resource "keycloak_authentication_execution" "anybody" {
  for_each          = local.new
  realm_id          = keycloak_realm.main.id
  parent_flow_alias = keycloak_authentication_flow.login.alias
  authenticator     = "allow-access-authenticator"
  requirement       = "ALTERNATIVE"
}

resource "keycloak_required_action" "verify" {
  realm_id       = keycloak_realm.main.id
  alias          = "VERIFY_PROFILE"
  name           = "Verify Profile"
  enabled        = !var.weak
  default_action = false
}

resource "keycloak_oidc_identity_provider" "partner" {
  realm                    = keycloak_realm.main.id
  alias                    = "partner"
  client_id                = "c"
  client_secret_wo         = var.admin_secret
  client_secret_wo_version = "1"
  authorization_url        = var.weak ? "https://idp.example.net/authorize" : "https://idp.example.com/authorize"
  token_url                = var.weak ? "http://idp.example.com/token" : "https://idp.example.com/token"
  jwks_url                 = "https://idp.example.com/keys"
  validate_signature       = !var.weak
  trust_email              = var.weak
  store_token              = var.weak
}

resource "keycloak_oidc_identity_provider" "added" {
  for_each                 = local.new
  realm                    = keycloak_realm.main.id
  alias                    = "added"
  client_id                = "c"
  client_secret_wo         = var.admin_secret
  client_secret_wo_version = "1"
  authorization_url        = "https://login.example.net/authorize"
  token_url                = "https://login.example.net/token"
  jwks_url                 = "https://login.example.net/keys"
  validate_signature       = true
  trust_email              = false
}

resource "keycloak_ldap_user_federation" "staff" {
  realm_id                = keycloak_realm.main.id
  name                    = "staff"
  connection_url          = var.weak ? "ldap://ldap.example.com" : "ldaps://ldap.example.com"
  users_dn                = "ou=people,dc=example,dc=com"
  username_ldap_attribute = "uid"
  rdn_ldap_attribute      = "uid"
  uuid_ldap_attribute     = "entryUUID"
  user_object_classes     = ["person"]
  edit_mode               = var.weak ? "WRITABLE" : "READ_ONLY"
  import_enabled          = true
  sync_registrations      = false
}

resource "terraform_data" "protection" {
  input = !var.weak
}
