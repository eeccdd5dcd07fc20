# Every rule of the Terraform ruleset that tflint carries; what is not as it comes says why.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

rule "terraform_naming_convention" {
  enabled = true

  # A private local begins with an underscore.
  locals {
    custom = "^_?[a-z][a-z0-9]*(_[a-z0-9]+)*$"
  }
}

# Files are named for the entity that they declare, so there is no main.tf.
rule "terraform_standard_module_structure" {
  enabled = false
}
