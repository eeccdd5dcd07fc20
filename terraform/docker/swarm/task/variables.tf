variable "arguments" {
  type        = list(string)
  description = "Arguments of the program; null means the image's own."
  default     = null
}

variable "command" {
  type        = list(string)
  description = "Program to run; null means the image's entry point."
  default     = null
}

variable "configs" {
  type        = map(object({ id = string, name = string }))
  description = "Config by path: files that are no secrets."
  default     = {}
  nullable    = false
}

variable "constraints" {
  type        = list(string)
  description = "Nodes that may run it, as Swarm writes constraints."
  default     = []
  nullable    = false
}

variable "environment" {
  type        = map(string)
  description = "Environment variables. They are in state and in `docker service inspect`: no secrets."
  default     = {}
  nullable    = false
}

variable "healthcheck" {
  type = object({
    test         = list(string)
    interval     = optional(string, "5s")
    timeout      = optional(string, "5s")
    retries      = optional(number, 3)
    start_period = optional(string, "30s")
  })
  description = "How an engine finds out that a task works. Only then DNS knows its address, and a rolling update goes on."
  nullable    = false
}

variable "image" {
  type        = string
  description = "Image with its digest, so that every node runs the same."
  nullable    = false
}

variable "labels" {
  type        = map(string)
  description = "Labels of service and containers."
  default     = {}
  nullable    = false
}

variable "limits" {
  type        = object({ memory = number, cpus = number, processes = number })
  description = "Memory in MB and cores. The limit of processes is one of the node's engine, for all alike."
  nullable    = false
}

variable "monitor" {
  type        = string
  description = "How long a new task is watched before the next is replaced; one that fails meanwhile brings the old version back."
  default     = "15s"
  nullable    = false
}

variable "name" {
  type        = string
  description = "Name of the service."
  nullable    = false
}

variable "networks" {
  type        = list(string)
  description = "Ids of its networks, in which it has the name of the part."
  nullable    = false
}

variable "order" {
  type        = string
  description = "start-first: a new task is healthy before an old one ends. stop-first where two cannot live side by side."
  default     = "start-first"
  nullable    = false
}

variable "part" {
  type        = string
  description = "Which part of the stack this is, such as keycloak."
  nullable    = false
}

variable "ports" {
  type        = map(number)
  description = "Port of the node by port of the container."
  default     = {}
  nullable    = false
}

variable "replicas" {
  type        = number
  description = "How many tasks."
  default     = 1
  nullable    = false
}

variable "replicas_per_node" {
  type        = number
  description = "How many of them on one node at most; 0 means any."
  default     = 0
  nullable    = false
}

variable "secrets" {
  type        = map(object({ id = string, name = string }))
  description = "Secret by name of its file in /run/secrets."
  default     = {}
  nullable    = false
}

variable "stop_period" {
  type        = string
  description = "Time between the stop signal and the kill."
  default     = "30s"
  nullable    = false
}

variable "stop_signal" {
  type        = string
  description = "Signal that asks the program to end."
  default     = "SIGTERM"
  nullable    = false
}

variable "sysctls" {
  type        = map(string)
  description = "Settings of the kernel in the task's own network; null means none."
  default     = null
}

variable "tmpfs" {
  type        = map(number)
  description = "Size in MB by path of folders in memory, the only places besides volumes that can be written."
  default     = {}
  nullable    = false
}

variable "user" {
  type        = string
  description = "Numeric user and group. No two parts share a user, because the process limit counts by user."
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*:[0-9]+$", var.user))
    error_message = "The user is '${var.user}'; write numbers as user:group, and not user 0."
  }
}

variable "volumes" {
  type        = map(string)
  description = "Name of a volume of the node by path."
  default     = {}
  nullable    = false
}

variable "wait" {
  type        = string
  description = "How long to wait until all tasks run and are healthy."
  default     = "3m"
  nullable    = false
}
