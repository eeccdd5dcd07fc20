locals {
  # Each holds the same Debian release's tools where there is a choice, so that health checks may rely on a shell.
  _images = {
    edge     = "nginx:1.30.4-trixie"
    keycloak = var.keycloak_image
    postgres = "postgres:17.10-trixie"
    redis    = "redis:8.2.8-bookworm"
    service  = var.service_image
  }
}

resource "docker_image" "this" {
  for_each = local._images

  name = join("@", compact([each.value, lookup(var.image_digests, each.key, "")]))
  # Another environment of this machine may use it, and going back needs it.
  keep_locally = true
}
