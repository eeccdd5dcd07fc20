# What no topology changes: images, users, and the files of the edge. Nothing is made here.
locals {
  # Each holds the same Debian release's tools where there is a choice, so that health checks may rely on a shell.
  _images = {
    edge     = "nginx:1.30.4-trixie"
    keycloak = var.keycloak_image
    postgres = "postgres:17.10-trixie"
    redis    = "redis:8.2.8-bookworm"
    service  = var.service_image
  }

  # One user a container, see ../container/variables.tf. PostgreSQL's comes with its image.
  _users = {
    edge     = "10004:10004"
    keycloak = "10003:0"
    postgres = "999:999"
    redis    = "10002:10002"
    service  = "10001:10001"
  }
}
