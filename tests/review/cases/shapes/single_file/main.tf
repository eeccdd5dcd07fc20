# One file for a whole realm, as tutorials show it: login theme, mail, groups, a test user, a flow.
resource "keycloak_realm" "realm" {
  realm        = "tutorial"
  ssl_required = "none"

  smtp_server {
    host = "mail.example.com"
    from = "sso@example.com"

    auth {
      username = "sso"
      password = "not-a-secret"
    }
  }

  security_defenses {
    brute_force_detection {
      permanent_lockout = true
    }
  }
}

resource "keycloak_openid_client" "app" {
  realm_id              = keycloak_realm.realm.id
  client_id             = "app"
  access_type           = "CONFIDENTIAL"
  client_secret         = "not-a-secret"
  standard_flow_enabled = true
  valid_redirect_uris   = ["http://localhost:3000/*"]
  web_origins           = ["+"]
}

resource "keycloak_user" "test" {
  realm_id = keycloak_realm.realm.id
  username = "test"

  initial_password {
    value     = "not-a-secret"
    temporary = false
  }
}

resource "keycloak_group" "admins" {
  realm_id = keycloak_realm.realm.id
  name     = "admins"
}

resource "keycloak_role" "admin" {
  realm_id = keycloak_realm.realm.id
  name     = "admin"
}

resource "keycloak_group_roles" "admins" {
  realm_id = keycloak_realm.realm.id
  group_id = keycloak_group.admins.id
  role_ids = [keycloak_role.admin.id]
}

resource "keycloak_openid_hardcoded_claim_protocol_mapper" "tenant" {
  realm_id    = keycloak_realm.realm.id
  client_id   = keycloak_openid_client.app.id
  name        = "tenant"
  claim_name  = "aud"
  claim_value = "everything"
}
