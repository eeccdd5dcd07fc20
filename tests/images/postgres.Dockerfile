# As the official image: user 999, data folder made for it, entry point with the POSTGRES_* variables.
ARG BASE
FROM ${BASE}
RUN usermod --uid 999 postgres && groupmod --gid 999 postgres \
    && mkdir -p /docker-entrypoint-initdb.d /var/lib/postgresql/data \
    && chown -R 999:999 /var/lib/postgresql && chmod 1777 /var/lib/postgresql/data
COPY postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
