# The audit trail of the realm: what people and clients did, and what administrators changed. Admin events expire by the
# realm attribute adminEventsExpiration (realm.tf); this resource has no argument for it.

locals {
  # Every event in which somebody gets in, is kept out, or changes what they may do; a failure is stored with its success.
  # Not stored: refreshes and introspections, which come with every call.
  _event_types = [
    "CLIENT_DELETE", "CLIENT_LOGIN", "CLIENT_REGISTER", "CLIENT_UPDATE", "CODE_TO_TOKEN", "CUSTOM_REQUIRED_ACTION",
    "DELETE_ACCOUNT", "EXECUTE_ACTIONS", "EXECUTE_ACTION_TOKEN", "FEDERATED_IDENTITY_LINK", "GRANT_CONSENT",
    "IDENTITY_PROVIDER_FIRST_LOGIN", "IDENTITY_PROVIDER_LOGIN", "IMPERSONATE", "LOGIN", "LOGOUT", "OAUTH2_DEVICE_AUTH",
    "OAUTH2_DEVICE_CODE_TO_TOKEN", "REGISTER", "REMOVE_CREDENTIAL", "REMOVE_FEDERATED_IDENTITY", "REMOVE_TOTP",
    "RESET_PASSWORD", "REVOKE_GRANT", "SEND_RESET_PASSWORD", "SEND_VERIFY_EMAIL", "TOKEN_EXCHANGE", "UPDATE_CONSENT",
    "UPDATE_CREDENTIAL", "UPDATE_EMAIL", "UPDATE_PASSWORD", "UPDATE_PROFILE", "UPDATE_TOTP", "VERIFY_EMAIL",
  ]
  _event_types_alone = ["USER_DISABLED_BY_PERMANENT_LOCKOUT", "USER_DISABLED_BY_TEMPORARY_LOCKOUT"]
}

resource "keycloak_realm_events" "main" {
  realm_id                     = local._realm
  events_enabled               = true
  events_expiration            = local._limits.lifetimes.events
  enabled_event_types          = concat(local._event_types, [for type in local._event_types : "${type}_ERROR"], local._event_types_alone)
  admin_events_enabled         = true
  admin_events_details_enabled = true
  # Keycloak's own listener, said again: a list without it takes it away.
  events_listeners = ["jboss-logging"]
}
