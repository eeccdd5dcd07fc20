# Rights, confinement, file systems, care: one container a group.

resource "docker_container" "rights" {
  name          = "review-rights"
  image         = docker_image.pinned.image_id
  user          = var.weak ? "0" : local.hardened.user
  privileged    = var.weak
  read_only     = true
  security_opts = local.hardened.security_opts
  memory        = 64
  start         = false
  must_run      = false

  capabilities {
    add  = var.weak ? ["CAP_SYS_ADMIN"] : []
    drop = var.weak ? [] : ["ALL"]
  }

  dynamic "devices" {
    for_each = var.weak ? ["/dev/mem"] : []
    content {
      host_path = devices.value
    }
  }

  healthcheck {
    test = local.hardened.test
  }

  networks_advanced {
    name = docker_network.inside.name
  }
}

resource "docker_container" "confinement" {
  name          = "review-confinement"
  image         = docker_image.pinned.image_id
  user          = local.hardened.user
  read_only     = true
  security_opts = var.weak ? ["seccomp=unconfined"] : local.hardened.security_opts
  pid_mode      = var.weak ? "host" : ""
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
    name = docker_network.inside.name
  }

  dynamic "networks_advanced" {
    for_each = var.weak ? [docker_network.edge.name] : []
    content {
      name = networks_advanced.value
    }
  }
}

resource "docker_container" "files" {
  name          = "review-files"
  image         = docker_image.pinned.image_id
  user          = local.hardened.user
  read_only     = !var.weak
  security_opts = local.hardened.security_opts
  memory        = 64
  start         = false
  must_run      = false

  capabilities {
    drop = ["ALL"]
  }

  mounts {
    type      = "volume"
    source    = "review-secrets"
    target    = "/run/secrets"
    read_only = !var.weak
  }

  dynamic "mounts" {
    for_each = var.weak ? { "/var/run/docker.sock" = true, "/etc" = true, "/srv/data" = false } : {}
    content {
      type      = "bind"
      source    = mounts.key
      target    = "/host${mounts.key}"
      read_only = mounts.value
    }
  }

  dynamic "upload" {
    for_each = var.weak ? ["password=not-a-secret"] : []
    content {
      file    = "/app/settings.ini"
      content = upload.value
    }
  }

  healthcheck {
    test = local.hardened.test
  }

  networks_advanced {
    name = docker_network.inside.name
  }
}

resource "docker_container" "care" {
  name          = "review-care"
  image         = docker_image.pinned.image_id
  user          = local.hardened.user
  read_only     = true
  security_opts = local.hardened.security_opts
  memory        = var.weak ? null : 64
  restart       = var.weak ? "no" : "unless-stopped"
  log_driver    = "json-file"
  log_opts      = var.weak ? {} : { max-size = "10m" }
  start         = false
  must_run      = false

  capabilities {
    drop = ["ALL"]
  }

  healthcheck {
    test = var.weak ? ["NONE"] : local.hardened.test
  }

  networks_advanced {
    name = docker_network.inside.name
  }
}

# New in the weakened form, with nothing said: what a container is when nobody thinks of it.
resource "docker_container" "bare" {
  count    = var.weak ? 1 : 0
  name     = "review-bare"
  image    = docker_image.pinned.image_id
  start    = false
  must_run = false
}
