# Keycloak built for this stack: the release's image would build itself at each start, and a read-only root forbids that.

# Digest of the multi-architecture index, found in six independent public sources on 2026-11-22.
ARG KEYCLOAK_BASE=quay.io/keycloak/keycloak:26.7.4@sha256:82a77884f3af238beab1e7afd63b5f530e1b5c0590bd7aa60b40a40463e29b2c

# hadolint ignore=DL3006 -- the default above is pinned by tag and digest
FROM ${KEYCLOAK_BASE} AS build
# Features beyond a release's, joined by commas: what access.yaml asks for (ops/features.py).
ARG FEATURES=""
RUN /opt/keycloak/bin/kc.sh build --db=postgres --health-enabled=true --metrics-enabled=true --event-metrics-user-enabled=true \
      ${FEATURES:+--features=${FEATURES}}

# hadolint ignore=DL3006 -- see above
FROM ${KEYCLOAK_BASE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Keycloak for Secure MCP" \
      org.opencontainers.image.version="26.7.4" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build --chown=1000:0 /opt/keycloak/lib/quarkus/ /opt/keycloak/lib/quarkus/
USER 1000:0
