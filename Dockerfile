# The MCP service. Build: make image (ops/images.py gives the arguments). What runs is Python, a virtual environment and the package.

# Digest of the multi-architecture index, found in at least three independent public sources on 2026-11-22.
ARG PYTHON_BASE=python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

# hadolint ignore=DL3006 -- the default above is pinned by tag and digest
FROM ${PYTHON_BASE} AS build
# pip stays outside the environment that is shipped.
RUN python -m venv /opt/pip && python -m venv --without-pip /opt/venv
COPY requirements/service.txt /src/requirements.txt
# A network that intercepts TLS needs its authority here; it comes as a build secret and stays in no layer:
#   docker build --secret id=ca-bundle,src=/etc/ssl/certs/ca-certificates.crt .
RUN --mount=type=secret,id=ca-bundle \
    if [ -s /run/secrets/ca-bundle ]; then export PIP_CERT=/run/secrets/ca-bundle; fi; \
    /opt/pip/bin/pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
      --no-deps --require-hashes --only-binary :all: -r /src/requirements.txt
COPY access.yaml access.schema.json /app/
COPY service /app/service
# The root file system is read-only at run time, so the byte code is made now.
RUN /opt/venv/bin/python -m compileall -q /app/service

# hadolint ignore=DL3006 -- see above
FROM ${PYTHON_BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Secure MCP service" \
      org.opencontainers.image.description="An OAuth 2.1 protected MCP server" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Nothing in here may change its user.
RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SECURE_MCP_HOST=0.0.0.0
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "service.healthcheck"]
CMD ["gunicorn", "-c", "service/gunicorn_conf.py", "service.app:create_app()"]
