variable "command" {
  type        = list(string)
  description = "Arguments of the entry point; null means the image's own."
  default     = null
}

variable "dns" {
  type        = list(string)
  description = "Servers for names that are not of the stack. The default answers none at once; null means those of the host."
  default     = ["127.0.0.1"]
}

variable "entrypoint" {
  type        = list(string)
  description = "Program to run; null means the image's own."
  default     = null
}

variable "environment" {
  type        = map(string)
  description = "Environment variables. They are in state and in `docker inspect`: no secrets."
  default     = {}
  nullable    = false
}

variable "files" {
  type        = map(string)
  description = "Content by name of files that are no secrets, laid into files_path at start."
  default     = {}
  nullable    = false
}

variable "files_path" {
  type        = string
  description = "Folder of those files in the container, in memory; null where there are none. Needs entrypoint and command, and bash in the image."
  default     = null
}

variable "healthcheck" {
  type = object({
    test         = list(string)
    interval     = optional(string, "10s")
    timeout      = optional(string, "5s")
    retries      = optional(number, 3)
    start_period = optional(string, "30s")
  })
  description = "How the engine finds out that the container works. Whoever depends on it waits for this."
  nullable    = false
}

variable "image" {
  type        = string
  description = "Id of the image."
  nullable    = false
}

variable "labels" {
  type        = map(string)
  description = "Labels for whoever looks for the containers of this environment."
  default     = {}
  nullable    = false
}

variable "limits" {
  type = object({
    memory    = number
    cpus      = number
    processes = number
    files     = optional(number, 8192)
  })
  description = "Memory in MB (without swap), cores, processes and threads, open files."
  nullable    = false
}

variable "name" {
  type        = string
  description = "Name of the container."
  nullable    = false
}

variable "networks" {
  type = list(object({
    name    = string
    address = optional(string)
    aliases = optional(list(string), [])
  }))
  description = "Networks that the container is in; a null address means any of the network."
  nullable    = false
}

variable "part" {
  type        = string
  description = "Which part of the stack this is, such as keycloak or redis-exporter."
  nullable    = false
}

variable "ports" {
  type        = list(object({ internal = number, external = number, address = string }))
  description = "Ports published on an address of the host."
  default     = []
  nullable    = false
}

variable "stop_seconds" {
  type        = number
  description = "Seconds between the stop signal and the kill."
  default     = 30
  nullable    = false
}

variable "stop_signal" {
  type        = string
  description = "Signal that asks the program to end."
  default     = "SIGTERM"
  nullable    = false
}

variable "tmpfs" {
  type        = map(string)
  description = "Size by path of folders in memory, the only places besides volumes that can be written."
  default     = {}
  nullable    = false
}

variable "user" {
  type        = string
  description = "Numeric user and group. No two containers share a user, because the process limit counts by user."
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*:[0-9]+$", var.user))
    error_message = "The user is '${var.user}'; write numbers as user:group, and not user 0."
  }
}

variable "volumes" {
  type        = map(object({ name = string, read_only = bool }))
  description = "Named volumes by path."
  default     = {}
  nullable    = false
}

variable "wait_seconds" {
  type        = number
  description = "How long to wait for the first healthy answer."
  default     = 120
  nullable    = false
}
