# shellcheck shell=bash
# Shared by the scripts of this folder: settings, requests, discovery. Sourced, never run.

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
PROTOCOL_VERSION=2026-07-28

# A proxy of the environment has no business with a server on this machine.
export NO_PROXY="${NO_PROXY:-${no_proxy:-}},localhost,127.0.0.1,::1"
export no_proxy=$NO_PROXY

say() { printf '%s\n' "$*" >&2; }
die() { local code=$1; shift; say "error: $*"; exit "$code"; }

for program in curl jq; do
  command -v "$program" >/dev/null || die 2 "$program is not installed; install it (for example: apt-get install $program)"
done

# What `make up` left behind says where the stack is; variables win.
state_dir=${SECURE_MCP_STATE_DIR:-$here/../../.secure-mcp/${SECURE_MCP_ENVIRONMENT:-dev}}
port=${SECURE_MCP_PORT:-$(jq -r '.port // 8000' "$state_dir/environment.json" 2>/dev/null || echo 8000)}
MCP_URL=${MCP_URL:-http://localhost:$port/mcp}
MCP_CLIENT_ID=${MCP_CLIENT_ID:-mcp-automation}
MCP_SECRETS_DIR=${MCP_SECRETS_DIR:-$state_dir/secrets}

umask 077
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# request CURL-ARGUMENT...: one HTTP request. Sets $status; leaves $work/headers and $work/body.
# Whatever is secret comes in through standard input (--config - or --header @-), never as an argument.
request() {
  : >"$work/headers"; : >"$work/body"
  status=$(curl --silent --show-error --max-time 20 --output "$work/body" --dump-header "$work/headers" \
    --write-out '%{http_code}' "$@") || die 3 "no answer from ${*: -1}; is the stack running? Start it with: make up"
}

# header NAME-IN-LOWER-CASE: value of a header of the last answer.
header() {
  awk -v name="$1:" 'tolower($1) == name { sub(/^[^:]*:[ \t]*/, ""); sub(/\r$/, ""); print }' "$work/headers"
}

# challenge PARAMETER: one parameter of the last WWW-Authenticate header (RFC 6750 section 3).
challenge() { header www-authenticate | sed -n "s/.*[ ,]$1=\"\([^\"]*\)\".*/\1/p"; }

# field JQ-PATH: one value of the last JSON answer; empty when absent or when the answer is not JSON.
field() { jq -r "$1 // empty" "$work/body" 2>/dev/null || true; }

# mcp_request TOKEN METHOD NAME PARAMS-JSON: one MCP request over Streamable HTTP; an empty TOKEN sends no credentials.
mcp_request() {
  local authorization=${1:+Authorization: Bearer $1}
  jq -n --arg method "$2" --arg version "$PROTOCOL_VERSION" --argjson params "$4" '{
    jsonrpc: "2.0", id: 1, method: $method,
    params: ($params + {_meta: {
      "io.modelcontextprotocol/protocolVersion": $version,
      "io.modelcontextprotocol/clientInfo": {name: "curl-client", version: "1"},
      "io.modelcontextprotocol/clientCapabilities": {}}})}' >"$work/request.json"
  request --header @- --header "MCP-Protocol-Version: $PROTOCOL_VERSION" --header "Mcp-Method: $2" ${3:+--header "Mcp-Name: $3"} \
    --header 'Content-Type: application/json' --header 'Accept: application/json, text/event-stream' \
    --data-binary "@$work/request.json" "$MCP_URL" <<<"$authorization"
}

# rest_request TOKEN TOOL ARGUMENTS-JSON: the same tool over the REST view.
rest_request() {
  printf '%s' "$3" >"$work/request.json"
  request --header @- --header 'Content-Type: application/json' --data-binary "@$work/request.json" \
    "${MCP_URL%/mcp}/api/v1/tools/$2" <<<"${1:+Authorization: Bearer $1}"
}

# Says in words what a refusal of the resource server means (RFC 6750 section 3.1) and what to do next.
explain_refusal() {
  local error description
  error=$(challenge error) description=$(challenge error_description)
  say "refused: HTTP $status${error:+ $error: $description}"
  case $status in
    400) [ -z "$error" ] || say 'Send the token once: in one Authorization header and nowhere else.'
         [ -n "$error" ] || say "$(field '.error_description // .error.message')" ;;
    401) if [ -n "$error" ]; then
           say 'The token is not accepted here: expired, or not made for this server. Get a new one: ./get_token.sh'
         else
           say "No credentials came. Where to get a token: $(challenge resource_metadata)"
         fi ;;
    403) say "The token is good but may not do this. Ask for a token with the scope: $(challenge scope)" ;;
    404) say 'There is no such tool or path. See the tools: ./call_tool.sh --list' ;;
    429) say "Too many requests. Wait $(header retry-after) seconds." ;;
    503) say "The server cannot judge tokens now (it never got the keys of Keycloak). Try again in $(header retry-after) seconds." ;;
    *) say "$(field '.error_description // .error.message')" ;;
  esac
}
