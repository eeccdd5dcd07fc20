# No OpenID Connect client at all: SAML, identity providers and a directory.
variable "google_secret" {
  type      = string
  sensitive = true
  default   = "not-a-secret"
}

resource "keycloak_saml_client" "wiki" {
  realm_id                   = "staff"
  client_id                  = "https://wiki.example.com/saml"
  client_signature_required  = false
  sign_documents             = true
  full_scope_allowed         = false
  valid_redirect_uris        = ["https://wiki.example.com/*"]
  master_saml_processing_url = "http://wiki.example.com/saml"
}

resource "keycloak_oidc_google_identity_provider" "google" {
  realm         = "staff"
  client_id     = "c"
  client_secret = var.google_secret
  trust_email   = true
}

resource "keycloak_saml_identity_provider" "partner" {
  realm                      = "staff"
  alias                      = "partner"
  entity_id                  = "https://idp.example.net"
  single_sign_on_service_url = "https://idp.example.net/sso"
  validate_signature         = false
}

resource "keycloak_ldap_user_federation" "directory" {
  realm_id                = "staff"
  name                    = "directory"
  connection_url          = "ldap://directory.example.com"
  users_dn                = "ou=people,dc=example,dc=com"
  username_ldap_attribute = "uid"
  rdn_ldap_attribute      = "uid"
  uuid_ldap_attribute     = "entryUUID"
  user_object_classes     = ["person"]
  bind_dn                 = "cn=reader,dc=example,dc=com"
  bind_credential         = "not-a-secret"
}
