# shellcheck shell=bash disable=SC2154  # sourced by test.sh
# What the token endpoint refuses (RFC 6749 section 5.2).

printf 'not-the-secret' >"$work/wrong_secret"

# as CLIENT NAME EXPECTED DATA...: authenticated by the secret of that client.
as() {
  local client=$1 name=$2 expected=$3 data=() item
  for item in "${@:4}"; do data+=(--data-urlencode "$item"); done
  token_request "$client" "${data[@]}"
  verdict "$name" "$expected" "$(answer "$(field .error)")"
}

# anonymous NAME EXPECTED DATA...: no client authentication, as a public client does it.
anonymous() {
  local name=$1 expected=$2 data=() item
  for item in "${@:3}"; do data+=(--data-urlencode "$item"); done
  request "${data[@]}" "$token_endpoint"
  verdict "$name" "$expected" "$(answer "$(field .error)")"
}

verifier=a-verifier-of-the-right-length-that-belongs-to-no-code
callback=http://127.0.0.1:53682/callback

as mcp-automation 'a service account gets a token' '200' grant_type=client_credentials
as mcp-reader 'a scope that the client holds' '200' grant_type=client_credentials scope=mcp:read
anonymous 'no client named' '401 invalid_client' grant_type=client_credentials
MCP_CLIENT_SECRET_FILE=$work/wrong_secret as no-such-client 'unknown client' '401 invalid_client' grant_type=client_credentials
MCP_CLIENT_SECRET_FILE=$work/wrong_secret as mcp-automation 'wrong secret' '401 unauthorized_client' grant_type=client_credentials
anonymous 'secret left out' '401 unauthorized_client' grant_type=client_credentials client_id=mcp-automation
anonymous 'public client asks for a service account token' '401 unauthorized_client' grant_type=client_credentials client_id=mcp-cli
as mcp-server 'the resource server asks for a token for itself' '401 unauthorized_client' grant_type=client_credentials
anonymous 'password grant' '400 unauthorized_client' grant_type=password client_id=mcp-cli username=demo password=x
as mcp-reader 'scope that exists but is not the client'"'"'s' '400 invalid_scope' grant_type=client_credentials scope=mcp:write
as mcp-automation 'scope that does not exist' '400 invalid_scope' grant_type=client_credentials scope=mcp:nothing
anonymous 'authorization code that was never issued' '400 invalid_grant' grant_type=authorization_code client_id=mcp-cli \
  code=never-issued "redirect_uri=$callback" "code_verifier=$verifier"
anonymous 'refresh token that was never issued' '400 invalid_grant' grant_type=refresh_token client_id=mcp-cli refresh_token=never-issued
as mcp-automation 'grant type that does not exist' '400 unsupported_grant_type' grant_type=telepathy
as mcp-automation 'no grant type' '400 invalid_request' scope=mcp:read
anonymous 'no authorization code' '400 invalid_request' grant_type=authorization_code client_id=mcp-cli
as mcp-automation 'a parameter twice' '400 invalid_request' grant_type=client_credentials scope=mcp:read scope=mcp:write
