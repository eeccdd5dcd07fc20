# The account had resources of its own before the auditor came; without these lines an upgrade would delete the account that
# it runs as.

moved {
  from = keycloak_generic_role_mapper.terraform
  to   = keycloak_generic_role_mapper.account["terraform"]
}

moved {
  from = keycloak_openid_client.terraform
  to   = keycloak_openid_client.account["terraform"]
}

moved {
  from = keycloak_openid_client_default_scopes.terraform
  to   = keycloak_openid_client_default_scopes.account["terraform"]
}

moved {
  from = keycloak_openid_client_optional_scopes.terraform
  to   = keycloak_openid_client_optional_scopes.account["terraform"]
}

moved {
  from = keycloak_openid_client_service_account_realm_role.terraform
  to   = keycloak_openid_client_service_account_realm_role.account["terraform"]
}

moved {
  from = keycloak_role.terraform
  to   = keycloak_role.account["terraform"]
}
