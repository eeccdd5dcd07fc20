# A rehearsal of prod with its own host names; may be destroyed.
environment         = "staging"
public_url          = "https://mcp.staging.example.com"
keycloak_public_url = "https://auth.staging.example.com"
bind_address        = "0.0.0.0"
network             = "10.87.2.0/24"
ports               = { http = 80, https = 443, auth = 443, operator = 9443 }
deletion_protection = false
