#!/usr/bin/env bash
# The whole story with curl: refusal, discovery, token, tools, a refusal for a missing scope. Stops at the first surprise.
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$here/oauth.sh"

step() { printf '\n%s\n' "$*"; }
expect() { [ "$status" = "$1" ] || { explain_refusal; die 1 "expected HTTP $1, got $status"; }; }
tool() { jq -n --arg name "$1" --argjson arguments "$2" '{name: $name, arguments: $arguments}'; }

step "1. Call a tool without a token: POST $MCP_URL"
mcp_request '' tools/call echo "$(tool echo '{"text": "hello"}')"
expect 401
printf '   HTTP %s\n   WWW-Authenticate: %s\n' "$status" "$(header www-authenticate)"

step '2. Follow the challenge to the authorization server'
discover
printf '   issuer          %s\n   token endpoint  %s\n' "$issuer" "$token_endpoint"

step '3. Get a token for mcp-automation by client credentials'
token_request mcp-automation --data grant_type=client_credentials
expect 200
token=$(field .access_token)
printf '   expires in %s seconds; the token says:\n' "$(field .expires_in)"
claims_of "$token" | jq '{iss, aud, azp, scope}' | sed 's/^/   /'

step '4. List the tools'
mcp_request "$token" tools/list '' '{}'
expect 200
jq -r '.result.tools[] | "   \(.name): \(.description | split("\n")[0])"' "$work/body"

step '5. Call echo, then calculate'
mcp_request "$token" tools/call echo "$(tool echo '{"text": "hello"}')"
expect 200
printf '   echo       %s\n' "$(field '.result.content[0].text')"
mcp_request "$token" tools/call calculate "$(tool calculate '{"expression": "6 * 7"}')"
expect 200
printf '   calculate  %s\n' "$(field '.result.content[0].text')"

step '6. The same calculate with a token of mcp-reader, which holds mcp:read only'
token_request mcp-reader --data grant_type=client_credentials
expect 200
mcp_request "$(field .access_token)" tools/call calculate "$(tool calculate '{"expression": "6 * 7"}')"
expect 403
printf '   HTTP %s\n   WWW-Authenticate: %s\n' "$status" "$(header www-authenticate)"

step '7. echo again, over the REST view'
rest_request "$token" echo '{"text": "hello"}'
expect 200
printf '   %s\n\nAll seven steps went as they should.\n' "$(jq -c . "$work/body")"
