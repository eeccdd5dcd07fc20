variable "observability" {
  type = object({
    image           = string
    grafana         = optional(bool, true)
    grafana_image   = optional(string, "grafana/grafana:12.1.1-ubuntu")
    grafana_port    = optional(number, 3000)
    limits          = optional(object({ memory = number, cpus = number, processes = number }), { memory = 512, cpus = 1, processes = 128 })
    interval        = optional(string, "15s")
    nginx_exporters = optional(list(string), [])
    node_exporters  = optional(list(string), [])
    retention       = optional(string, "30d")
    webhook_url     = optional(string)
  })
  description = "Prometheus, Alertmanager and Grafana: the image that observability.Dockerfile makes, whether there is a Grafana, host:port of exporters of the host (nginx_exporters where it has the edge), whom Alertmanager tells. null: none."
  default     = null

  validation {
    condition     = try(var.observability.webhook_url == null, true) || can(regex("^https?://[^@/]+(/|$)", var.observability.webhook_url))
    error_message = "observability.webhook_url is no URL without a user; write http://host/path. It is in the state, so it may hold no secret."
  }
}
