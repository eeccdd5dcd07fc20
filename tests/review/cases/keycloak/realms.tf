resource "keycloak_realm" "main" {
  realm                         = "review-main"
  ssl_required                  = var.weak ? "none" : "all"
  terraform_deletion_protection = false
  registration_allowed          = var.weak
  edit_username_allowed         = false
  duplicate_emails_allowed      = false
  reset_password_allowed        = false
  verify_email                  = !var.weak
  remember_me                   = var.weak
  user_managed_access           = var.weak
  browser_flow                  = var.weak ? "direct grant" : "browser"
  default_signature_algorithm   = var.weak ? "HS256" : "RS256"
  password_policy               = var.weak ? null : "length(12) and notUsername(undefined)"

  revoke_refresh_token                    = !var.weak
  refresh_token_max_reuse                 = 0
  access_token_lifespan                   = var.weak ? "24h0m0s" : "5m0s"
  access_code_lifespan                    = var.weak ? "20m0s" : "1m0s"
  action_token_generated_by_user_lifespan = var.weak ? "24h0m0s" : "5m0s"
  sso_session_idle_timeout                = "30m0s"
  sso_session_max_lifespan                = var.weak ? "20h0m0s" : "10h0m0s"
  offline_session_max_lifespan_enabled    = !var.weak

  dynamic "security_defenses" {
    for_each = var.weak ? {} : { on = true }
    content {
      brute_force_detection {
        max_login_failures = 5
      }

      headers {
        x_frame_options           = "SAMEORIGIN"
        strict_transport_security = "max-age=63072000; includeSubDomains"
      }
    }
  }

  otp_policy {
    type          = "totp"
    code_reusable = var.weak
  }
}

# What loses a little where the other loses all.
resource "keycloak_realm" "other" {
  realm                         = "review-other"
  ssl_required                  = var.weak ? "external" : "all"
  terraform_deletion_protection = !var.weak
  registration_allowed          = false
  edit_username_allowed         = var.weak
  duplicate_emails_allowed      = false
  reset_password_allowed        = false
  verify_email                  = false
  remember_me                   = false
  browser_flow                  = "browser"
  password_policy               = var.weak ? "length(8)" : "length(12)"

  revoke_refresh_token                 = true
  access_token_lifespan                = var.weak ? "10m0s" : "5m0s"
  access_code_lifespan                 = "1m0s"
  sso_session_idle_timeout             = "30m0s"
  sso_session_max_lifespan             = "10h0m0s"
  offline_session_max_lifespan_enabled = true

  security_defenses {
    brute_force_detection {
      max_login_failures = var.weak ? 50 : 5
      permanent_lockout  = var.weak
    }

    headers {
      x_frame_options = var.weak ? "" : "SAMEORIGIN"
    }
  }
}

# Its name cannot change in place.
resource "keycloak_realm" "renamed" {
  realm                                = var.weak ? "review-renamed-2" : "review-renamed"
  ssl_required                         = "all"
  registration_allowed                 = false
  edit_username_allowed                = false
  duplicate_emails_allowed             = false
  reset_password_allowed               = false
  verify_email                         = false
  remember_me                          = false
  browser_flow                         = "browser"
  password_policy                      = "length(12)"
  revoke_refresh_token                 = true
  access_token_lifespan                = "5m0s"
  access_code_lifespan                 = "1m0s"
  sso_session_idle_timeout             = "30m0s"
  sso_session_max_lifespan             = "10h0m0s"
  offline_session_max_lifespan_enabled = true

  security_defenses {
    brute_force_detection {
      max_login_failures = 5
    }
  }
}

# Never changes.
resource "keycloak_realm" "steady" {
  realm                                = "review-steady"
  ssl_required                         = "all"
  registration_allowed                 = false
  edit_username_allowed                = false
  duplicate_emails_allowed             = false
  reset_password_allowed               = false
  verify_email                         = false
  remember_me                          = false
  browser_flow                         = "browser"
  password_policy                      = "length(12)"
  revoke_refresh_token                 = true
  access_token_lifespan                = "5m0s"
  access_code_lifespan                 = "1m0s"
  sso_session_idle_timeout             = "30m0s"
  sso_session_max_lifespan             = "10h0m0s"
  offline_session_max_lifespan_enabled = true

  security_defenses {
    brute_force_detection {
      max_login_failures = 5
    }
  }
}

# New in the weakened form, with nothing said: what a realm is when nobody thinks of it.
resource "keycloak_realm" "bare" {
  for_each                 = local.new
  realm                    = "review-bare"
  sso_session_max_lifespan = "720h0m0s"
}

resource "keycloak_realm_events" "main" {
  realm_id                     = keycloak_realm.main.id
  events_enabled               = true
  events_expiration            = var.weak ? 86400 : 2592000
  admin_events_enabled         = !var.weak
  admin_events_details_enabled = true
  events_listeners             = ["jboss-logging"]
}

resource "keycloak_realm_user_profile" "main" {
  realm_id                   = keycloak_realm.main.id
  unmanaged_attribute_policy = var.weak ? "ENABLED" : "ADMIN_EDIT"

  attribute {
    name = "username"
  }

  attribute {
    name = "email"
  }
}

resource "keycloak_realm_keystore_rsa_generated" "removed" {
  for_each  = var.weak ? {} : { old = true }
  realm_id  = keycloak_realm.main.id
  name      = "removed"
  algorithm = "RS256"
  key_size  = 2048
  priority  = 110
}

resource "keycloak_realm_keystore_rsa_generated" "replaced" {
  realm_id  = var.weak ? keycloak_realm.other.id : keycloak_realm.main.id
  name      = "replaced"
  algorithm = "RS256"
  key_size  = 2048
  priority  = 120
}

resource "keycloak_realm_keystore_ecdsa_generated" "disabled" {
  realm_id           = keycloak_realm.main.id
  name               = "disabled"
  elliptic_curve_key = "P-256"
  priority           = 130
  enabled            = !var.weak
}

resource "keycloak_realm_keystore_rsa_generated" "weak" {
  for_each  = local.new
  realm_id  = keycloak_realm.main.id
  name      = "weak"
  algorithm = "RS256"
  key_size  = 1024
  priority  = 140
}

resource "keycloak_realm_keystore_rsa" "given" {
  for_each    = local.new
  realm_id    = keycloak_realm.main.id
  name        = "given"
  algorithm   = "RS256"
  private_key = "not-a-key"
  certificate = "not-a-certificate"
}
