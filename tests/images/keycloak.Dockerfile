# As the official image: the release in /opt/keycloak, for any user of group 0.
ARG BASE
FROM ${BASE}
COPY keycloak-* /opt/keycloak/
RUN chmod 0755 /opt/keycloak/bin/*.sh && mkdir -p /opt/keycloak/data && chmod -R g+rwX /opt/keycloak
USER 1000:0
ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]
