variable "overlay_encrypted" {
  type        = bool
  description = "Whether what goes between nodes is encrypted (IPsec). false only on kernels without ESP, in a network that nobody else is in."
  default     = true
  nullable    = false
}

variable "registry" {
  type        = string
  description = "Registry from which the nodes pull all five images, such as registry.example.com:5000; null means each from where its name says."
  default     = null

  validation {
    condition     = var.registry == null || can(regex("^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]+)?$", var.registry))
    error_message = "The registry is not of the form host:port or host/path; write it without https:// and without a slash at the end."
  }
}

variable "replicas" {
  type        = object({ edge = optional(number, 3), keycloak = optional(number, 2), service = optional(number, 3) })
  description = "How many tasks of each part that can have several."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for part, number in var.replicas : number >= 2 && number <= 20])
    error_message = "A part has fewer than 2 or more than 20 replicas; with one, a lost node or an update is an outage."
  }
}

variable "secrets" {
  type        = map(map(object({ id = string, name = string })))
  description = "Secrets of the Swarm by part and file name, as `secure-mcp swarm up` has put them there: ids and names, no values."
  nullable    = false
}
