"""`secure-mcp ci`: what a pipeline does with the Terraform roots, the same under GitHub, GitLab or by hand."""
