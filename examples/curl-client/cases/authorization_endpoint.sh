# shellcheck shell=bash disable=SC2154  # sourced by test.sh
# What the authorization endpoint refuses before anybody logs in (RFC 6749 section 4.1.2.1, RFC 7636 section 4.4.1).
# Refusals that may safely go to the client are redirects; a wrong client or redirect URI is a page and never a redirect.

callback=http://127.0.0.1:53682/callback
pkce=(code_challenge_method=S256 code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM)

# authorize NAME EXPECTED PARAMETER...: status, and the error that stands in the redirect, if there is one.
authorize() {
  local name=$1 expected=$2 data=() item
  for item in "${@:3}"; do data+=(--data-urlencode "$item"); done
  request --get "${data[@]}" "$authorization_endpoint"
  verdict "$name" "$expected" "$(answer "$(header location | sed -n 's/.*[?#&]error=\([a-z_]*\).*/\1/p')")"
}

authorize 'the login page for a good request' '200' response_type=code client_id=mcp-cli "redirect_uri=$callback" scope=mcp:read "${pkce[@]}"
authorize 'PKCE missing' '302 invalid_request' response_type=code client_id=mcp-cli "redirect_uri=$callback"
authorize 'PKCE plain' '302 invalid_request' response_type=code client_id=mcp-cli "redirect_uri=$callback" \
  code_challenge_method=plain code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM
authorize 'redirect to another path' '400' response_type=code client_id=mcp-cli "redirect_uri=$callback/more" "${pkce[@]}"
authorize 'redirect to another host' '400' response_type=code client_id=mcp-cli redirect_uri=http://evil.example/callback "${pkce[@]}"
authorize 'no redirect URI' '400' response_type=code client_id=mcp-cli "${pkce[@]}"
authorize 'unknown client' '400' response_type=code client_id=no-such-client "redirect_uri=$callback" "${pkce[@]}"
authorize 'service account in a browser' '400' response_type=code client_id=mcp-automation "redirect_uri=$callback" "${pkce[@]}"
authorize 'scope that does not exist' '302 invalid_scope' response_type=code client_id=mcp-cli "redirect_uri=$callback" scope=mcp:nothing "${pkce[@]}"
authorize 'implicit flow' '302 unauthorized_client' response_type=token client_id=mcp-cli "redirect_uri=$callback" "${pkce[@]}"
authorize 'response type that does not exist' '302 unsupported_response_type' response_type=telepathy client_id=mcp-cli "redirect_uri=$callback" "${pkce[@]}"
