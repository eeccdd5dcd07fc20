# As terraform/docker/observability.Dockerfile makes it; its packages are in the base already.
ARG BASE
FROM ${BASE}
RUN install -d -o 10005 -g 10005 -m 0700 /prometheus && install -d -o 10006 -g 10006 -m 0700 /alertmanager
USER 10005:10005
