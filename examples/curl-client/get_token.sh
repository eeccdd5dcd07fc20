#!/usr/bin/env bash
# Gets an access token by client credentials (RFC 6749 section 4.4) and writes it to standard output.
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$here/oauth.sh"

usage() {
  cat >&2 <<'END'
usage: get_token.sh [--client ID] [--scope "SCOPE ..."] [--decode] [--show]

  --client ID     the service account (default: mcp-automation, or MCP_CLIENT_ID)
  --scope SCOPES  ask for these scopes; without it you get the default scopes of the client
  --decode        print what the token says instead of the token (nobody can use that to call anything)
  --show          print the token even on a terminal

The token goes to standard output only when that is a pipe or a file, or with --show:
  ./get_token.sh | ./call_tool.sh --token - echo text=hello
END
  exit "$1"
}

scope='' output=token show=no
while [ $# -gt 0 ]; do
  case $1 in
    --client) MCP_CLIENT_ID=${2:?--client needs the id of a client}; shift 2 ;;
    --scope) scope=${2:?--scope needs one or more scopes}; shift 2 ;;
    --decode) output=claims; shift ;;
    --show) show=yes; shift ;;
    -h | --help) usage 0 ;;
    *) say "error: $1 is not an option"; usage 2 ;;
  esac
done

discover
token_request "$MCP_CLIENT_ID" --data grant_type=client_credentials ${scope:+--data-urlencode "scope=$scope"}
if [ "$status" != 200 ]; then
  say "refused: HTTP $status $(field .error): $(field .error_description)"
  die 1 "what $(field .error) means and what to do: README.md, \"What the token endpoint may answer\""
fi
token=$(field .access_token)
say "token for $MCP_CLIENT_ID: scope \"$(field .scope)\", expires in $(field .expires_in) seconds, from $token_endpoint"

if [ "$output" = claims ]; then
  claims_of "$token"
elif [ -t 1 ] && [ "$show" = no ]; then
  say 'The token is not shown. Pipe it into call_tool.sh --token -, see its claims with --decode, or print it with --show.'
else
  printf '%s\n' "$token"
fi
