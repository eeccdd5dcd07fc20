provider "keycloak" {
  url                 = var.keycloak_url
  realm               = coalesce(var.admin_realm, var.realm_name)
  client_id           = var.admin_client_id
  client_secret       = var.admin_client_secret
  root_ca_certificate = var.keycloak_ca_certificate
  # A first plan can be made without a server: the inventories in ../environments come from one.
  initial_login  = false
  client_timeout = 60
}
