environment         = "prod"
public_url          = "https://mcp.example.com"
keycloak_public_url = "https://auth.example.com"
bind_address        = "0.0.0.0"
network             = "10.87.3.0/24"
ports               = { http = 80, https = 443, auth = 443, operator = 9443 }
deletion_protection = true
workers             = 4
limits = {
  keycloak = { memory = 2048, cpus = 4, processes = 1024 }
  postgres = { memory = 1024, cpus = 2, processes = 256 }
  service  = { memory = 1024, cpus = 4, processes = 256 }
}
