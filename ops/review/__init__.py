"""`secure-mcp review`: what a plan of Terraform or OpenTofu means for identity and exposure."""
