ARG BASE
FROM ${BASE}
RUN mkdir -p /data
WORKDIR /data
CMD ["redis-server"]
