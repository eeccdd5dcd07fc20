resource "keycloak_openid_client" "shop" {
  realm_id    = keycloak_realm.main.id
  client_id   = "shop"
  access_type = "PUBLIC"
  enabled     = true

  standard_flow_enabled                     = true
  implicit_flow_enabled                     = var.weak
  direct_access_grants_enabled              = var.weak
  service_accounts_enabled                  = false
  oauth2_device_authorization_grant_enabled = var.weak
  oauth2_jwt_authorization_grant_enabled    = false
  standard_token_exchange_enabled           = var.weak
  pkce_code_challenge_method                = var.weak ? "" : "S256"
  exclude_issuer_from_auth_response         = var.weak
  require_dpop_bound_tokens                 = !var.weak
  full_scope_allowed                        = var.weak
  consent_required                          = !var.weak
  consent_screen_text                       = var.weak ? "" : "Use the shop"
  access_token_lifespan                     = "300"
  backchannel_logout_url                    = var.weak ? "" : "https://shop.example.com/logout"

  valid_redirect_uris = concat(["https://shop.example.com/callback"], var.weak ? [
    "*", "https://shop.example.net/*", "http://intranet.example.com/cb", "shop:/cb", "https://new.example.com/cb",
    "javascript:alert(1)",
  ] : [])
  valid_post_logout_redirect_uris = var.weak ? ["https://shop.example.net/*"] : ["https://shop.example.com/bye"]
  web_origins                     = concat(["https://shop.example.com"], var.weak ? ["*", "https://evil.example.net"] : [])

  extra_config = {
    "oidc.ciba.grant.enabled"      = var.weak ? "true" : "false"
    "id.token.signed.response.alg" = var.weak ? "HS256" : "RS256"
  }

  dynamic "authentication_flow_binding_overrides" {
    for_each = local.new
    content {
      browser_id = keycloak_authentication_flow.login.id
    }
  }
}

resource "keycloak_openid_client" "job" {
  realm_id                  = keycloak_realm.main.id
  client_id                 = "job"
  access_type               = "CONFIDENTIAL"
  enabled                   = var.weak
  client_authenticator_type = var.weak ? "client-secret" : "client-jwt"
  client_secret_wo          = var.admin_secret
  client_secret_wo_version  = "1"

  standard_flow_enabled                  = var.weak
  implicit_flow_enabled                  = false
  direct_access_grants_enabled           = false
  service_accounts_enabled               = true
  standard_token_exchange_enabled        = var.weak
  oauth2_jwt_authorization_grant_enabled = var.weak
  use_refresh_tokens_client_credentials  = var.weak
  pkce_code_challenge_method             = var.weak ? "plain" : "S256"
  full_scope_allowed                     = false
  consent_required                       = false
  access_token_lifespan                  = "300"
  valid_redirect_uris                    = var.weak ? ["https://job.example.com/cb"] : []
  web_origins                            = []

  authorization {
    policy_enforcement_mode = var.weak ? "PERMISSIVE" : "ENFORCING"
    decision_strategy       = "UNANIMOUS"
  }
}

# Loses its secret, and gets a service account before that.
resource "keycloak_openid_client" "opened" {
  realm_id                     = keycloak_realm.main.id
  client_id                    = "opened"
  access_type                  = var.weak ? "PUBLIC" : "CONFIDENTIAL"
  client_secret_wo             = var.admin_secret
  client_secret_wo_version     = "1"
  standard_flow_enabled        = false
  implicit_flow_enabled        = false
  direct_access_grants_enabled = false
  service_accounts_enabled     = var.weak
  full_scope_allowed           = false
  consent_required             = false
  access_token_lifespan        = "300"
}

resource "keycloak_openid_client" "left_out" {
  for_each                     = var.weak ? {} : { old = true }
  realm_id                     = keycloak_realm.main.id
  client_id                    = "left-out"
  access_type                  = "BEARER-ONLY"
  standard_flow_enabled        = false
  implicit_flow_enabled        = false
  direct_access_grants_enabled = false
  service_accounts_enabled     = false
  full_scope_allowed           = false
  consent_required             = false
  access_token_lifespan        = "300"
}

# New in the weakened form, with nothing said.
resource "keycloak_openid_client" "bare" {
  for_each              = local.new
  realm_id              = keycloak_realm.main.id
  client_id             = "bare"
  access_type           = "CONFIDENTIAL"
  client_secret         = "not-a-secret"
  standard_flow_enabled = true
  valid_redirect_uris   = [keycloak_realm_keystore_rsa_generated.weak["new"].id]
}

resource "keycloak_saml_client" "wiki" {
  realm_id                  = keycloak_realm.main.id
  client_id                 = "wiki"
  client_signature_required = !var.weak
  sign_documents            = true
  sign_assertions           = true
  full_scope_allowed        = false
  signing_certificate       = "not-a-certificate"
  signing_private_key       = var.weak ? "not-a-key" : null
  valid_redirect_uris       = var.weak ? ["https://*.example.com/"] : ["https://wiki.example.com/acs"]
}

# Never changes, so that a data source can read it at once.
resource "keycloak_openid_client" "steady" {
  realm_id                     = keycloak_realm.steady.id
  client_id                    = "steady"
  access_type                  = "CONFIDENTIAL"
  client_secret_wo             = var.admin_secret
  client_secret_wo_version     = "1"
  standard_flow_enabled        = false
  implicit_flow_enabled        = false
  direct_access_grants_enabled = false
  service_accounts_enabled     = true
  full_scope_allowed           = false
  consent_required             = false
  access_token_lifespan        = "300"
}

data "keycloak_openid_client" "read" {
  for_each  = local.new
  realm_id  = keycloak_realm.steady.id
  client_id = keycloak_openid_client.steady.client_id
}
