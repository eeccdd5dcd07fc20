# Deletion of the realm is refused (deletion_protection follows the environment).
environment  = "prod"
keycloak_url = "https://auth.example.com"
public_url   = "https://mcp.example.com"
