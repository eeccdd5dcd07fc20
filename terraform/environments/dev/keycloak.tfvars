# One machine, loopback http. `secure-mcp up` gives other ports by TF_VAR_* where these are taken.
environment  = "dev"
keycloak_url = "http://localhost:8080"
public_url   = "http://localhost:8000"
