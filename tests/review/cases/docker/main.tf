# Containers as they should be; with `weak` each loses what one group of rules looks for. Nothing here is ever started.
terraform {
  required_version = ">= 1.11"

  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "~> 4.5"
    }
  }
}

provider "docker" {
  # Written for the rule provider-plain; the run itself goes by DOCKER_HOST.
  host = var.engine
}

variable "engine" {
  type        = string
  description = "The engine; null means the one of DOCKER_HOST."
  default     = null
}

variable "registry" {
  type        = string
  description = "Host and port of the registry that serves the one image."
  nullable    = false
}

variable "digest" {
  type        = string
  description = "Digest of that image."
  nullable    = false
}

variable "weak" {
  type        = bool
  description = "Whether the weakened form is planned."
  default     = false
  nullable    = false
}

locals {
  hardened = {
    user          = "10001:10001"
    security_opts = ["no-new-privileges:true"]
    test          = ["CMD", "true"]
  }
}

resource "docker_image" "pinned" {
  name         = var.weak ? "${var.registry}/box:1" : "${var.registry}/box:1@${var.digest}"
  keep_locally = true
}

resource "docker_image" "moved" {
  name         = var.weak ? "${var.registry}/elsewhere/app@${var.digest}" : "${var.registry}/app@${var.digest}"
  keep_locally = true
}

resource "docker_image" "latest" {
  count        = var.weak ? 1 : 0
  name         = "nginx:latest"
  keep_locally = true
}

resource "docker_image" "by_tag" {
  count        = var.weak ? 1 : 0
  name         = "nginx:1.30.4"
  keep_locally = true
}

resource "docker_image" "with_credentials" {
  count        = var.weak ? 1 : 0
  name         = "registry.example.com/app@${var.digest}"
  keep_locally = true

  build {
    context = "."

    auth_config {
      host_name = "registry.example.com"
      password  = "not-a-secret"
    }
  }
}

resource "docker_network" "inside" {
  name     = "review-inside"
  internal = !var.weak
}

resource "docker_network" "edge" {
  name    = "review-edge"
  options = var.weak ? { "com.docker.network.bridge.enable_icc" = "true" } : { "com.docker.network.bridge.enable_icc" = "false" }
}

resource "docker_volume" "data" {
  name = var.weak ? "review-data-2" : "review-data"
}
