variable "ecdh_curve" {
  type        = string
  description = "As in the root."
}

variable "edge" {
  type = object({
    health_listen       = string
    keycloak_address    = string
    next_upstream       = string
    operator_listens    = string
    peer_failures       = string
    service_address     = string
    upstream_connection = string
  })
  description = "What differs between topologies: values of those holes of nginx/."
}

variable "keycloak_image" {
  type        = string
  description = "As in the root."
}

variable "keycloak_public_url" {
  type        = string
  description = "As in the root."
}

variable "ports" {
  type        = object({ http = number, https = number, auth = number, operator = number })
  description = "As in the root."
}

variable "public_url" {
  type        = string
  description = "As in the root."
}

variable "rates" {
  type = object({
    login        = object({ rate = string, burst = number })
    mcp          = object({ rate = string, burst = number, streams = number })
    registration = object({ rate = string, burst = number })
    token        = object({ rate = string, burst = number })
  })
  description = "As in the root."
}

variable "realm_name" {
  type        = string
  description = "As in the root."
}

variable "service_image" {
  type        = string
  description = "As in the root."
}
