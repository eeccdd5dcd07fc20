variable "file_name" {
  type        = string
  description = "Name of the contract's file as it stands in front of each message, such as access.yaml."
  nullable    = false
}

variable "schema" {
  type        = string
  description = "Text of access.schema.json. Every bound, allowed key and hint comes from it."
  nullable    = false
}

variable "text" {
  type        = string
  description = "Text of the contract. Text that is no YAML stops here with the line that yamldecode names."
  nullable    = false
}
