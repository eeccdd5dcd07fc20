terraform {
  required_providers {
    keycloak = {
      source  = "keycloak/keycloak"
      version = "~> 5.9"
    }
  }
}

provider "keycloak" {
  url           = "https://sso.example.com"
  client_id     = "deployer"
  initial_login = false
}
