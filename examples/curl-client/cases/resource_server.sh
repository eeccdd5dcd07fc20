# shellcheck shell=bash disable=SC2154  # sourced by test.sh
# What the MCP server refuses (RFC 6750 section 3.1): 400, 401 and 403, each with its challenge.

printf '%s' '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}' >"$work/list.json"

# present NAME EXPECTED HEADERS [URL-SUFFIX] [CURL-ARGUMENT...]: a tools/list with exactly these header lines.
present() {
  local name=$1 expected=$2 lines=$3 suffix=${4:-}
  request --header @- --header 'Content-Type: application/json' --header 'Accept: application/json, text/event-stream' \
    --header "MCP-Protocol-Version: $PROTOCOL_VERSION" --header 'Mcp-Method: tools/list' \
    --data-binary "@$work/list.json" "${@:5}" "$MCP_URL$suffix" <<<"$lines"
  verdict "$name" "$expected" "$(answer "$(challenge error)")"
}

token_request mcp-automation --data grant_type=client_credentials
token=$(field .access_token)
header_part=${token%%.*} rest=${token#*.}
claims_part=${rest%%.*} signature_part=${rest#*.}
unsigned_header=$(printf '{"alg":"none","typ":"JWT"}' | base64 | tr '+/' '-_' | tr -d '=\n')
other_claims=$(claims_of "$token" | jq -c '.scope = "mcp:everything"' | base64 | tr '+/' '-_' | tr -d '=\n')
bearer='Authorization: Bearer'

present 'a good token' '200' "$bearer $token"
present 'no credentials' '401' ''
verdict 'no credentials: the challenge names the metadata' \
  "$(well_known oauth-protected-resource "$MCP_URL")" "$(challenge resource_metadata)"
verdict 'no credentials: the challenge names a scope' 'mcp:read' "$(challenge scope)"
present 'Basic credentials' '401' 'Authorization: Basic Zm9vOmJhcg=='
present 'the token only in the query' '401' '' "?access_token=$(printf 'not-a-token')"
present 'a word that is no token' '401 invalid_token' "$bearer not-a-token"
verdict 'a bad token: the challenge names the metadata' \
  "$(well_known oauth-protected-resource "$MCP_URL")" "$(challenge resource_metadata)"
present 'signature cut off' '401 invalid_token' "$bearer $header_part.$claims_part."
present 'signature changed' '401 invalid_token' "$bearer $header_part.$claims_part.A${signature_part#?}A"
present 'claims changed' '401 invalid_token' "$bearer $header_part.$other_claims.$signature_part"
present 'unsigned token (alg none)' '401 invalid_token' "$bearer $unsigned_header.$claims_part."
present 'two Authorization headers' '400 invalid_request' "$bearer $token
$bearer $token"
present 'token in header and query' '400 invalid_request' "$bearer $token" '?access_token=second'
present 'GET on the MCP URL' '405' "$bearer $token" '' --request GET
present 'unknown path' '404' "$bearer $token" '/no/such/path'
present 'unknown path without credentials' '401' '' '/no/such/path'
present 'a page of another origin' '403' "$bearer $token
Origin: https://evil.example"
