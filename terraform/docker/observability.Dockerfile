# Prometheus, Alertmanager and the exporters, from Debian's packages: one image, a container each.

# The base of the service's image, so that one Debian is looked after.
ARG PYTHON_BASE=python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

# hadolint ignore=DL3006 -- the default above is pinned by tag and digest
FROM ${PYTHON_BASE}
# The versions of the release, with its security fixes. A new volume takes owner and mode of the folder below it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends prometheus prometheus-alertmanager prometheus-nginx-exporter \
        prometheus-postgres-exporter prometheus-redis-exporter \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 10005 -g 10005 -m 0700 /prometheus \
    && install -d -o 10006 -g 10006 -m 0700 /alertmanager
LABEL org.opencontainers.image.title="Observability for Secure MCP"
USER 10005:10005
