# One service as this stack runs each of them on a Swarm. What ../../container hardens and a service cannot say, the
# engines of the nodes must (README.md): no-new-privileges, limits of processes and open files.
resource "docker_service" "this" {
  name = var.name

  task_spec {
    container_spec {
      image     = var.image
      user      = var.user
      command   = var.command
      args      = var.arguments
      env       = var.environment
      init      = true
      read_only = true
      cap_drop  = ["ALL"]
      sysctl    = var.sysctls

      stop_signal       = var.stop_signal
      stop_grace_period = var.stop_period

      # Names of the stack only, see ../../container.
      dns_config {
        nameservers = ["127.0.0.1"]
        options     = ["timeout:1", "attempts:1"]
      }

      healthcheck {
        test         = var.healthcheck.test
        interval     = var.healthcheck.interval
        timeout      = var.healthcheck.timeout
        retries      = var.healthcheck.retries
        start_period = var.healthcheck.start_period
      }

      dynamic "configs" {
        for_each = var.configs
        content {
          config_id   = configs.value.id
          config_name = configs.value.name
          file_name   = configs.key
          file_uid    = split(":", var.user)[0]
          file_gid    = split(":", var.user)[1]
          file_mode   = 256 # 0400
        }
      }

      dynamic "secrets" {
        for_each = var.secrets
        content {
          secret_id   = secrets.value.id
          secret_name = secrets.value.name
          file_name   = secrets.key
          file_uid    = split(":", var.user)[0]
          file_gid    = split(":", var.user)[1]
          file_mode   = 256 # 0400
        }
      }

      dynamic "mounts" {
        for_each = var.tmpfs
        content {
          type      = "tmpfs"
          target    = mounts.key
          read_only = false
          tmpfs_options {
            size_bytes = mounts.value * 1048576
            mode       = 511 # 0777; the provider reads no sticky bit back, and one user lives here
          }
        }
      }

      dynamic "mounts" {
        for_each = var.volumes
        content {
          type      = "volume"
          target    = mounts.key
          source    = mounts.value
          read_only = false
        }
      }

      dynamic "labels" {
        for_each = local._labels
        content {
          label = labels.key
          value = labels.value
        }
      }
    }

    resources {
      limits {
        memory_bytes = var.limits.memory * 1048576
        nano_cpus    = var.limits.cpus * 1000000000
      }
    }

    restart_policy {
      condition    = "any"
      delay        = "3s"
      max_attempts = 0
      window       = "10s"
    }

    placement {
      constraints  = var.constraints
      max_replicas = var.replicas_per_node
    }

    dynamic "networks_advanced" {
      for_each = var.networks
      content {
        id      = networks_advanced.value
        aliases = [var.part]
      }
    }

    log_driver {
      name    = "json-file"
      options = { max-size = "10m", max-file = "5" }
    }
  }

  mode {
    replicated {
      replicas = var.replicas
    }
  }

  # Addresses of the healthy tasks themselves, which Nginx takes from DNS: no IPVS, and an upstream that is away is seen.
  endpoint_spec {
    mode = "dnsrr"

    dynamic "ports" {
      for_each = var.ports
      content {
        target_port    = ports.key
        published_port = ports.value
        protocol       = "tcp"
        # Of the node itself: the ingress mesh would hide the caller's address, on which the limits of rate count.
        publish_mode = "host"
      }
    }
  }

  update_config {
    parallelism       = 1
    delay             = "5s"
    failure_action    = "rollback"
    monitor           = var.monitor
    max_failure_ratio = "0.0"
    order             = var.order
  }

  rollback_config {
    parallelism       = 1
    delay             = "0s"
    failure_action    = "pause"
    monitor           = var.monitor
    max_failure_ratio = "0.0"
    order             = var.order
  }

  lifecycle {
    # The engine asks the registry for them when a service is made.
    ignore_changes = [task_spec[0].placement[0].platforms]
  }

  converge_config {
    delay   = "3s"
    timeout = var.wait
  }

  dynamic "labels" {
    for_each = local._labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

locals {
  _labels = merge(var.labels, { "secure-mcp.part" = var.part })
}
