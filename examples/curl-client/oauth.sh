# shellcheck shell=bash
# From the MCP URL to a token: discovery and the token endpoint. Sourced after lib.sh, never run.
# The variables that lib.sh sets ($status, $work and the rest) are used here.
# shellcheck disable=SC2154

# A token or a secret never travels in clear text, except inside this machine.
require_safe_url() {
  case $1 in
    https://* | http://localhost[:/]* | http://127.0.0.1[:/]* | 'http://[::1]'[:/]*) ;;
    *) die 2 "refusing to send a secret to $1: use https (http is only for this machine)" ;;
  esac
}

# The address of a well-known document: inserted between host and path (RFC 8414 section 3.1, RFC 9728 section 3.1).
well_known() {
  local origin
  origin=$(printf '%s' "$2" | sed 's|^\(https\{0,1\}://[^/]*\).*|\1|')
  printf '%s/.well-known/%s%s\n' "$origin" "$1" "${2#"$origin"}"
}

# From the MCP URL alone to the endpoints. Sets $issuer, $token_endpoint, $authorization_endpoint.
discover() {
  local metadata_url candidate resource
  request --request POST --header 'Content-Type: application/json' --data '{}' "$MCP_URL"
  metadata_url=$(challenge resource_metadata)
  [ -n "$metadata_url" ] || metadata_url=$(well_known oauth-protected-resource "$MCP_URL")
  request "$metadata_url"
  [ "$status" = 200 ] || die 1 "$metadata_url answered $status; is $MCP_URL the MCP URL?"
  resource=$(field .resource)
  [ "$resource" = "$MCP_URL" ] || die 1 "the metadata is for '$resource', not for $MCP_URL: set MCP_URL to that"
  issuer=$(field '.authorization_servers[0]')
  for candidate in "$(well_known oauth-authorization-server "$issuer")" \
    "$(well_known openid-configuration "$issuer")" "$issuer/.well-known/openid-configuration"; do
    request "$candidate"
    [ "$status" != 200 ] || break
  done
  [ "$(field .issuer)" = "$issuer" ] || die 1 "the metadata of $issuer names another issuer: '$(field .issuer)'"
  token_endpoint=$(field .token_endpoint)
  # shellcheck disable=SC2034  # used by test.sh
  authorization_endpoint=$(field .authorization_endpoint)
  require_safe_url "$token_endpoint"
}

# secret_file CLIENT-ID: where the secret of a client lies.
secret_file() { printf '%s\n' "${MCP_CLIENT_SECRET_FILE:-$MCP_SECRETS_DIR/$1}"; }

# token_request CLIENT-ID CURL-ARGUMENT...: asks the token endpoint as that client (RFC 6749 section 2.3.1, HTTP Basic).
token_request() {
  local file secret
  file=$(secret_file "$1")
  [ -r "$file" ] || die 2 "no secret for '$1' at $file; run make up, or set MCP_CLIENT_SECRET_FILE"
  secret=$(jq -sRr 'rtrimstr("\n") | @uri' "$file")
  request "${@:2}" --config - "$token_endpoint" <<END
user = "$1:$secret"
END
}

# claims_of TOKEN: the payload of a JWT, read but not verified: only the resource server's verdict counts.
claims_of() {
  printf '%s' "$1" | jq -R 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/")
    | . + ("=" * ((4 - length % 4) % 4)) | @base64d | fromjson'
}
