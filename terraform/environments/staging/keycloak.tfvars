# A rehearsal of prod with its own host names; the realm may be deleted.
environment  = "staging"
keycloak_url = "https://auth.staging.example.com"
public_url   = "https://mcp.staging.example.com"
