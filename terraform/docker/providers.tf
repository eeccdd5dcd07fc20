# The engine is the one of DOCKER_HOST, else of this machine.
provider "docker" {}
