#!/usr/bin/env bash
# Runs every case of README.md against the running stack and prints PASS or FAIL for each. Exit code 1 when one fails.
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$here/oauth.sh"

passed=0 failed=0

# verdict NAME EXPECTED GOT: one line of the report.
verdict() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
    printf 'PASS  %-58s %s\n' "$1" "$3"
  else
    failed=$((failed + 1))
    printf 'FAIL  %-58s expected: %s; got: %s\n' "$1" "$2" "$3"
  fi
}

# answer ERROR: the status and the error code of the last answer as one word pair.
answer() { printf '%s%s\n' "$status" "${1:+ $1}"; }

not_run() { printf 'NOT RUN  %-55s %s\n' "$1" "$2"; }

discover
printf 'MCP URL %s, issuer %s\n' "$MCP_URL" "$issuer"
for group in token_endpoint authorization_endpoint resource_server tools; do
  printf '\n%s\n' "$group"
  # shellcheck source=/dev/null
  . "$here/cases/$group.sh"
done

printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
