#!/bin/bash
# Run once by the image when the data folder is empty: Keycloak's own role, which owns its database and nothing else.
set -euo pipefail

# psql reads the password itself; as an argument it would stand in the process list.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/postgres_password`
CREATE ROLE keycloak LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE keycloak OWNER keycloak;
REVOKE ALL ON DATABASE keycloak FROM PUBLIC;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
SQL
