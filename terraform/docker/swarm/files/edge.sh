#!/bin/bash
# Nginx before tasks that come and go: Nginx asks DNS only when it reads its configuration, so this asks each half second
# and has it read again (reloads lose no request) when the addresses of a name changed. Arguments: the names.
set -uo pipefail

addresses() { for name in "$@"; do getent ahostsv4 "$name" | cut -d' ' -f1 | sort -u || true; echo "$name"; done; }
all_known() { for name in "$@"; do getent ahostsv4 "$name" >/dev/null || return 1; done; }

until all_known "$@"; do sleep 0.5; done
known=$(addresses "$@")
nginx -c /etc/nginx/edge/nginx.conf -g 'daemon off;' &
server=$!
trap 'kill -QUIT "$server"' QUIT
trap 'kill -TERM "$server"' TERM INT

while kill -0 "$server" 2>/dev/null; do
  now=$(addresses "$@")
  # A name without any address stays with the last ones: Nginx would refuse the configuration.
  if [ "$now" != "$known" ] && all_known "$@"; then
    kill -HUP "$server" && known=$now
  fi
  sleep 0.5 &
  wait "$!"
done
wait "$server"
