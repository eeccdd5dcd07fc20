locals {
  # An older runc gives a folder in memory the mode of the image's folder, so the owner is said as well.
  _owner = "uid=${split(":", var.user)[0]},gid=${split(":", var.user)[1]}"

  # The provider uploads into the root file system only, and that is read-only. So files that are no secrets travel as
  # variables, and a shell lays them into memory before it becomes the program. "__" stands for the dot of a name.
  _file_variables = { for name, content in var.files : "FILE_${replace(name, ".", "__")}" => content }
  _lay_files      = <<-EOT
    umask 0222
    for variable in $${!FILE_@}; do
      name=$${variable#FILE_}
      printf '%s' "$${!variable}" >"$0/$${name//__/.}"
      unset "$variable"
    done
    umask 0022
    exec "$@"
  EOT
}

# One container as this stack runs each of them: what is hardened here cannot be forgotten elsewhere.
resource "docker_container" "this" {
  name       = var.name
  image      = var.image
  user       = var.user
  entrypoint = var.files_path == null ? var.entrypoint : ["bash", "-euc", local._lay_files, var.files_path]
  command    = var.files_path == null ? var.command : concat(var.entrypoint, var.command)
  env        = [for name, value in merge(var.environment, local._file_variables) : "${name}=${value}"]

  # Reaps the children that nobody waits for, and passes signals on.
  init                  = true
  restart               = "unless-stopped"
  stop_signal           = var.stop_signal
  stop_timeout          = var.stop_seconds
  destroy_grace_seconds = var.stop_seconds
  must_run              = true
  wait                  = true
  wait_timeout          = var.wait_seconds

  read_only     = true
  security_opts = ["no-new-privileges:true"]
  ipc_mode      = "private"
  tmpfs         = { for path, size in merge(var.tmpfs, var.files_path == null ? {} : { (var.files_path) = "1m" }) : path => "rw,noexec,nosuid,nodev,${local._owner},mode=0700,size=${size}" }

  # Names of the stack only: a question about any other must neither leave nor be waited for (Keycloak asks for the names
  # of addresses that register clients, and an engine before 25 would let it wait for 20 s).
  dns      = var.dns
  dns_opts = ["timeout:1", "attempts:1"]

  cpus        = format("%.1f", var.limits.cpus)
  memory      = var.limits.memory
  memory_swap = var.limits.memory

  log_driver = "json-file"
  log_opts   = { max-size = "10m", max-file = "5" }

  capabilities {
    drop = ["ALL"]
  }

  # The provider has no argument for the pids controller. This limit counts the processes and threads of the user,
  # and each container has a user of its own.
  ulimit {
    name = "nproc"
    soft = var.limits.processes
    hard = var.limits.processes
  }

  ulimit {
    name = "nofile"
    soft = var.limits.files
    hard = var.limits.files
  }

  healthcheck {
    test           = var.healthcheck.test
    interval       = var.healthcheck.interval
    timeout        = var.healthcheck.timeout
    retries        = var.healthcheck.retries
    start_period   = var.healthcheck.start_period
    start_interval = "0s"
  }

  dynamic "networks_advanced" {
    for_each = var.networks
    content {
      name         = networks_advanced.value.name
      aliases      = networks_advanced.value.aliases
      ipv4_address = networks_advanced.value.address
    }
  }

  dynamic "ports" {
    for_each = var.ports
    content {
      internal = ports.value.internal
      external = ports.value.external
      ip       = ports.value.address
    }
  }

  dynamic "mounts" {
    for_each = var.volumes
    content {
      type      = "volume"
      source    = mounts.value.name
      target    = mounts.key
      read_only = mounts.value.read_only
    }
  }

  dynamic "labels" {
    for_each = merge(var.labels, { "secure-mcp.part" = var.part })
    content {
      label = labels.key
      value = labels.value
    }
  }
}
