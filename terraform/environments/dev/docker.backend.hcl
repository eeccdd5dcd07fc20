# State on this machine, beside the rest of what `secure-mcp up` keeps.
path = "../../.secure-mcp/dev/terraform/docker.tfstate"
