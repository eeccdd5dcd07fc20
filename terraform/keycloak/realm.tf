# The realm. Every attribute that the provider would otherwise adopt in silence is spelled out (README.md, "Blind spots").
resource "keycloak_realm" "main" {
  realm        = var.realm_name
  display_name = "Secure MCP"
  # The page title is text; HTML here would be an injection point of its own.
  display_name_html             = "Secure MCP"
  enabled                       = true
  terraform_deletion_protection = local._deletion_protection

  # Who may log in, and how.
  ssl_required                   = local._ssl_required
  registration_allowed           = false
  registration_email_as_username = false
  edit_username_allowed          = false
  reset_password_allowed         = var.smtp != null
  remember_me                    = false
  verify_email                   = var.smtp != null
  login_with_email_allowed       = true
  duplicate_emails_allowed       = false
  password_policy                = local._password_policy

  # Parts of Keycloak that nothing here uses.
  admin_permissions_enabled = false
  organizations_enabled     = false
  user_managed_access       = false

  # Flows: Keycloak's own.
  browser_flow               = "browser"
  registration_flow          = "registration"
  direct_grant_flow          = "direct grant"
  reset_credentials_flow     = "reset credentials"
  client_authentication_flow = "clients"
  docker_authentication_flow = "docker auth"
  first_broker_login_flow    = "first broker login"

  # Tokens. A refresh token is good for one use (OAuth 2.1 section 4.3.1).
  default_signature_algorithm             = "RS256"
  revoke_refresh_token                    = true
  refresh_token_max_reuse                 = 0
  access_token_lifespan                   = "${local._limits.lifetimes.access_token}s"
  access_token_lifespan_for_implicit_flow = "${local._limits.lifetimes.access_token}s"
  access_code_lifespan                    = "${local._limits.lifetimes.authorization_code}s"
  access_code_lifespan_login              = "${local._limits.lifetimes.login}s"
  access_code_lifespan_user_action        = "${local._limits.lifetimes.login_action}s"
  action_token_generated_by_user_lifespan = "${local._limits.lifetimes.login_action}s"
  # A person invited by an administrator has half a day.
  action_token_generated_by_admin_lifespan = "12h0m0s"
  # No client has the device grant; these are its limits should one ever get it.
  oauth2_device_code_lifespan    = "10m0s"
  oauth2_device_polling_interval = 5

  # Sessions. Zero: as the line above, without a second limit for clients or "remember me".
  sso_session_idle_timeout             = "${local._limits.lifetimes.session_idle}s"
  sso_session_max_lifespan             = "${local._limits.lifetimes.session_max}s"
  sso_session_idle_timeout_remember_me = "0s"
  sso_session_max_lifespan_remember_me = "0s"
  client_session_idle_timeout          = "0s"
  client_session_max_lifespan          = "0s"
  offline_session_idle_timeout         = "${local._limits.lifetimes.offline_idle}s"
  offline_session_max_lifespan         = "${local._limits.lifetimes.offline_max}s"
  offline_session_max_lifespan_enabled = true

  attributes = {
    adminEventsExpiration = local._limits.lifetimes.admin_events
    parRequestUriLifespan = 60
  }

  dynamic "smtp_server" {
    for_each = var.smtp == null ? [] : [var.smtp]
    content {
      host              = smtp_server.value.host
      port              = smtp_server.value.port
      from              = smtp_server.value.from
      from_display_name = smtp_server.value.from_name
      starttls          = smtp_server.value.starttls
      ssl               = smtp_server.value.ssl
    }
  }

  security_defenses {
    brute_force_detection {
      brute_force_strategy             = "MULTIPLE"
      permanent_lockout                = false
      max_temporary_lockouts           = 0
      max_login_failures               = local._limits.brute_force.max_failures
      wait_increment_seconds           = local._limits.brute_force.wait_seconds
      max_failure_wait_seconds         = local._limits.brute_force.max_wait_seconds
      quick_login_check_milli_seconds  = local._limits.brute_force.quick_failure_milliseconds
      minimum_quick_login_wait_seconds = local._limits.brute_force.quick_failure_wait_seconds
      failure_reset_time_seconds       = local._limits.brute_force.reset_seconds
    }

    headers {
      content_security_policy             = "frame-src 'self'; frame-ancestors 'self'; object-src 'none';"
      content_security_policy_report_only = ""
      referrer_policy                     = "no-referrer"
      strict_transport_security           = "max-age=63072000; includeSubDomains"
      x_content_type_options              = "nosniff"
      x_frame_options                     = "SAMEORIGIN"
      x_robots_tag                        = "none"
      x_xss_protection                    = "1; mode=block"
    }
  }

  # SHA-1 inside HMAC is sound, and the only choice that every authenticator app knows (RFC 6238 section 1.2).
  otp_policy {
    type              = "totp"
    algorithm         = "HmacSHA1"
    digits            = 6
    initial_counter   = 0
    look_ahead_window = 1
    period            = 30
    code_reusable     = false
  }

  web_authn_policy {
    relying_party_entity_name         = "Secure MCP"
    relying_party_id                  = ""
    signature_algorithms              = ["ES256", "RS256"]
    attestation_conveyance_preference = "not specified"
    authenticator_attachment          = "not specified"
    discoverable_credential           = "not specified"
    user_verification_requirement     = "preferred"
    create_timeout                    = 0
    avoid_same_authenticator_register = true
    acceptable_aaguids                = []
    extra_origins                     = []
  }

  web_authn_passwordless_policy {
    relying_party_entity_name         = "Secure MCP"
    relying_party_id                  = ""
    signature_algorithms              = ["ES256", "RS256"]
    attestation_conveyance_preference = "not specified"
    authenticator_attachment          = "not specified"
    discoverable_credential           = "required"
    user_verification_requirement     = "required"
    create_timeout                    = 0
    avoid_same_authenticator_register = true
    passwordless_passkeys_enabled     = false
    acceptable_aaguids                = []
    extra_origins                     = []
  }

  depends_on = [terraform_data.contract]
}
