# Variables that only tune the realm.

variable "signing_keys" {
  type = map(object({
    algorithm = string
    size      = optional(number, 2048)
    curve     = optional(string, "P-256")
    priority  = optional(number, 200)
    active    = optional(bool, true)
    enabled   = optional(bool, true)
  }))
  description = "Signing keys by name: RS256 with a size in bits, ES256 with a curve. The highest priority of an algorithm signs; an inactive key still verifies; a disabled one does neither."
  default = {
    rs256-1 = { algorithm = "RS256" }
    es256-1 = { algorithm = "ES256" }
  }
  nullable = false

  validation {
    condition     = alltrue([for key in values(var.signing_keys) : contains(["RS256", "ES256"], key.algorithm)])
    error_message = "A signing key has another algorithm; write RS256 or ES256."
  }

  validation {
    condition     = alltrue([for key in values(var.signing_keys) : contains([2048, 4096], key.size) && key.curve == "P-256"])
    error_message = "A signing key has another size or curve; write 2048 or 4096 bits, and P-256."
  }

  validation {
    condition     = alltrue([for key in values(var.signing_keys) : key.priority > 100])
    error_message = "A signing key has priority 100 or less, which is that of the key Keycloak made by itself; write 101 or more."
  }

  validation {
    condition     = anytrue([for key in values(var.signing_keys) : key.algorithm == "RS256" && key.active && key.enabled])
    error_message = "No active RS256 key is left, and RS256 is the realm's default; keep one key with algorithm RS256 active and enabled."
  }
}

variable "smtp" {
  type = object({
    host      = string
    port      = optional(number, 587)
    from      = string
    from_name = optional(string, "Secure MCP")
    starttls  = optional(bool, true)
    ssl       = optional(bool, false)
  })
  description = "Mail relay that needs no password (the provider would keep one in the state). Null means no mail: no e-mail verification and no password reset by mail."
  default     = null

  validation {
    condition     = var.smtp == null || try(var.smtp.starttls || var.smtp.ssl, false) || var.environment == "dev"
    error_message = "The mail relay is used without TLS; set starttls or ssl to true."
  }
}

variable "ssl_required" {
  type        = string
  description = "Which requests must come by https: all, or external (all but private addresses, for development). Null means external in dev, all elsewhere."
  default     = null

  validation {
    condition     = var.ssl_required == null || contains(["all", "external"], coalesce(var.ssl_required, "all"))
    error_message = "ssl_required is '${coalesce(var.ssl_required, "null")}'; write all, or external in dev."
  }
}
