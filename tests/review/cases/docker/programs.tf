# Ports, environment and settings of programs.

resource "docker_container" "edge" {
  name          = "review-edge"
  image         = docker_image.pinned.image_id
  user          = local.hardened.user
  read_only     = true
  security_opts = local.hardened.security_opts
  memory        = 64
  start         = false
  must_run      = false

  capabilities {
    drop = ["ALL"]
  }

  healthcheck {
    test = local.hardened.test
  }

  networks_advanced {
    name = docker_network.edge.name
  }

  ports {
    internal = 8443
    external = 8443
    ip       = var.weak ? "0.0.0.0" : "127.0.0.1"
  }

  ports {
    internal = 8080
    external = var.weak ? 80 : 18080
    ip       = var.weak ? "0.0.0.0" : "127.0.0.1"
  }

  ports {
    internal = 5432
    external = 15432
    ip       = var.weak ? "0.0.0.0" : "127.0.0.1"
  }

  ports {
    internal = 8888
    external = 18888
    ip       = var.weak ? "192.0.2.7" : "127.0.0.1"
  }
}

resource "docker_container" "settings" {
  name          = "review-settings"
  image         = docker_image.pinned.image_id
  user          = local.hardened.user
  read_only     = true
  security_opts = local.hardened.security_opts
  memory        = 64
  command       = var.weak ? ["start-dev"] : ["start", "--optimized"]
  start         = false
  must_run      = false

  env = var.weak ? [
    "KC_DB_PASSWORD=not-a-secret", "KC_HOSTNAME=https://auth.example.net",
    ] : [
    "KC_DB_PASSWORD_FILE=/run/secrets/db", "KC_HOSTNAME=https://auth.example.com",
  ]

  capabilities {
    drop = ["ALL"]
  }

  healthcheck {
    test = local.hardened.test
  }

  networks_advanced {
    name = docker_network.inside.name
  }
}

# A Swarm service says the same things in other words.
resource "docker_service" "swarm" {
  count = var.weak ? 1 : 0
  name  = "review-swarm"

  task_spec {
    container_spec {
      image   = "redis:8"
      env     = { REDIS_PASSWORD = "not-a-secret" }
      cap_add = ["CAP_NET_ADMIN"]
    }
  }

  endpoint_spec {
    ports {
      target_port    = 6379
      published_port = 6379
    }
  }
}
