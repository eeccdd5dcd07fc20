"""An existing realm brought under Terraform: `secure-mcp adopt`."""
