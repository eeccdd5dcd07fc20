variable "caller_requests_per_minute" {
  type        = number
  description = "Requests one caller (a person, or the account of a service) may send in a minute, from all its clients and addresses to all workers; null: only the edge limits. The default is what the edge lets one address send."
  default     = 3000

  validation {
    condition     = var.caller_requests_per_minute == null || try(var.caller_requests_per_minute >= 1 && floor(var.caller_requests_per_minute) == var.caller_requests_per_minute, false)
    error_message = "caller_requests_per_minute is ${coalesce(var.caller_requests_per_minute, 0)}; write a whole number from 1 on, or null for no limit."
  }
}

variable "limits" {
  type = object({
    edge     = optional(object({ memory = number, cpus = number, processes = number }), { memory = 128, cpus = 1, processes = 64 })
    keycloak = optional(object({ memory = number, cpus = number, processes = number }), { memory = 1280, cpus = 2, processes = 512 })
    postgres = optional(object({ memory = number, cpus = number, processes = number }), { memory = 512, cpus = 1, processes = 256 })
    redis    = optional(object({ memory = number, cpus = number, processes = number }), { memory = 128, cpus = 0.5, processes = 32 })
    service  = optional(object({ memory = number, cpus = number, processes = number }), { memory = 512, cpus = 2, processes = 128 })
  })
  description = "Memory in MB, cores, processes and threads of each container."
  default     = {}
  nullable    = false
}

variable "rates" {
  type = object({
    login        = object({ rate = string, burst = number })
    mcp          = object({ rate = string, burst = number, streams = number })
    registration = object({ rate = string, burst = number })
    token        = object({ rate = string, burst = number })
  })
  description = "Requests a client address may send (rate as Nginx writes it, such as 10r/s), how many at once on top, and open MCP requests."
  default = {
    login        = { rate = "20r/s", burst = 60 }
    mcp          = { rate = "50r/s", burst = 100, streams = 64 }
    registration = { rate = "6r/m", burst = 5 }
    token        = { rate = "10r/s", burst = 20 }
  }
  nullable = false
}

variable "workers" {
  type        = number
  description = "Worker processes of the service."
  default     = 2
  nullable    = false

  validation {
    condition     = var.workers >= 1 && var.workers <= 64
    error_message = "workers is ${var.workers}; write a number from 1 to 64, about the number of cores."
  }
}
