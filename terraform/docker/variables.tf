variable "bind_address" {
  type        = string
  description = "Address of the host on which the edge is published."
  default     = "127.0.0.1"
  nullable    = false

  validation {
    condition     = can(cidrnetmask("${var.bind_address}/32"))
    error_message = "The bind address is '${var.bind_address}'; write an IPv4 address, 0.0.0.0 for all."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether `terraform destroy` is refused."
  nullable    = false
}

variable "downstream" {
  type        = object({ url = string, audience = optional(string, "downstream-api") })
  description = "Another API for the tool whoami_downstream: its URL and its name among downstream_apis of access.yaml. null: no such tool."
  default     = null

  validation {
    condition     = try(var.downstream == null, true) || can(regex("^(https://|http://[a-z0-9-]+[:/])[^@?#]*$", var.downstream.url))
    error_message = "downstream.url is not usable; write http://<container in the network app>:<port>/path, or https, without a user, query or fragment."
  }
}

variable "ecdh_curve" {
  type        = string
  description = "Key exchange groups of TLS, best first. \"?\" (OpenSSL 3.3) lets one pass that does not know X25519MLKEM768 (3.5)."
  default     = "?X25519MLKEM768:X25519:prime256v1:secp384r1"
  nullable    = false
}

variable "edge" {
  type        = string
  description = "Where Nginx runs: container, or host, whose own Nginx (ansible/) reaches the containers in the network app."
  default     = "container"
  nullable    = false

  validation {
    condition     = contains(["container", "host"], var.edge)
    error_message = "edge is '${var.edge}'; write container or host."
  }
}

variable "environment" {
  type        = string
  description = "dev, staging or prod. Part of every name, so that several fit on one machine."
  nullable    = false

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment is '${var.environment}'; write dev, staging or prod."
  }
}

variable "image_digests" {
  type        = map(string)
  description = "Digest by part: edge, postgres, redis; keycloak and service once they are in a registry. A part that is not named goes by its tag."
  # Of the multi-architecture indexes; each was found in at least three independent public sources on 2026-11-22.
  default = {
    edge     = "sha256:5cf90903deda2c5981b8ad05e7617ac010e389f0dde0ac83487c02c509281de6"
    postgres = "sha256:7958605b474b3d264a969cb3a123d6aa00ad1e1fe9da8a69984dabb704d93317"
    redis    = "sha256:2f7462b9e93e0a7ae2edf3a0a0babc8a4d29f8bfc50849b906b7caaef925edc1"
  }
  nullable = false

  validation {
    condition     = alltrue([for digest in values(var.image_digests) : can(regex("^sha256:[0-9a-f]{64}$", digest))])
    error_message = "A digest is not of the form sha256:<64 hexadecimal digits>."
  }
}

variable "keycloak_image" {
  type        = string
  description = "Image that images/keycloak.Dockerfile makes: the release, built for PostgreSQL."
  nullable    = false
}

variable "keycloak_public_url" {
  type        = string
  description = "Origin of Keycloak as browsers see it, without a slash at the end."
  nullable    = false

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", var.keycloak_public_url))
    error_message = "keycloak_public_url is no https origin; write https://host or https://host:port, without path or slash at the end."
  }
}

variable "network" {
  type        = string
  description = "IPv4 network of the environment, /24 or larger; its first three quarters become the networks edge, app and data."
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.network, 2, 3)) && try(tonumber(split("/", var.network)[1]) <= 24, false)
    error_message = "The network is '${var.network}'; write one such as 10.87.1.0/24 that nothing else here uses."
  }
}

variable "ports" {
  type        = object({ http = number, https = number, auth = number, operator = number })
  description = "Ports on the host: redirect, MCP, Keycloak (the same as https where the names differ), operator's door."
  nullable    = false
}

variable "public_url" {
  type        = string
  description = "Origin of the MCP service as clients see it, without a slash at the end."
  nullable    = false

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", var.public_url))
    error_message = "public_url is no https origin; write https://host or https://host:port, without path or slash at the end."
  }

  validation {
    condition     = (var.ports.auth != var.ports.https) || split(":", var.public_url)[1] != split(":", var.keycloak_public_url)[1]
    error_message = "public_url and keycloak_public_url have the same host and the same port; give Keycloak another name or another port."
  }
}

variable "realm_name" {
  type        = string
  description = "Name of the realm; the only one that the edge lets through."
  default     = "mcp-realm"
  nullable    = false
}

variable "service_image" {
  type        = string
  description = "Image that the Dockerfile makes."
  nullable    = false
}

variable "topology" {
  type        = string
  description = "containers: one engine, this root. swarm: several, the root swarm/ beside it, which takes the same values."
  default     = "containers"
  nullable    = false

  validation {
    condition     = contains(["containers", "swarm"], var.topology)
    error_message = "topology is '${var.topology}'; write containers or swarm."
  }
}
