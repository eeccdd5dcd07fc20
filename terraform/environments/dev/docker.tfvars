# One machine, loopback only, certificates of the development CA.
environment         = "dev"
public_url          = "https://localhost:8443"
keycloak_public_url = "https://localhost:8444"
network             = "10.87.1.0/24"
ports               = { http = 8081, https = 8443, auth = 8444, operator = 8445 }
deletion_protection = false
# Tests and benchmarks of one machine come from one address, and from few callers.
caller_requests_per_minute = null
rates = {
  login        = { rate = "50r/s", burst = 200 }
  mcp          = { rate = "500r/s", burst = 1000, streams = 256 }
  registration = { rate = "60r/m", burst = 20 }
  token        = { rate = "50r/s", burst = 100 }
}
