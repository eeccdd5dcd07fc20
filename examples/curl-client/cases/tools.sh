# shellcheck shell=bash disable=SC2154  # sourced by test.sh
# Tools: what each caller sees and may call, over MCP and over the REST view of the same tools.

tool() { jq -n --arg name "$1" --argjson arguments "$2" '{name: $name, arguments: $arguments}'; }
text() { field '.result.content[0].text'; }
names() { jq -r '[.result.tools[].name] | sort | join(" ")' "$work/body"; }

token_request mcp-automation --data grant_type=client_credentials
all=$(field .access_token)
token_request mcp-reader --data grant_type=client_credentials
reader=$(field .access_token)

mcp_request "$all" tools/list '' '{}'
verdict 'tools/list of mcp-automation' 'calculate echo timestamp' "$(names)"
mcp_request "$reader" tools/list '' '{}'
verdict 'tools/list of mcp-reader' 'echo timestamp' "$(names)"
mcp_request "$all" tools/call echo "$(tool echo '{"text": "hello"}')"
verdict 'echo' '200 hello' "$(answer "$(text)")"
mcp_request "$all" tools/call calculate "$(tool calculate '{"expression": "6 * 7"}')"
verdict 'calculate' '200 42' "$(answer "$(text)")"
mcp_request "$reader" tools/call calculate "$(tool calculate '{"expression": "6 * 7"}')"
verdict 'calculate without mcp:write' '403 insufficient_scope' "$(answer "$(challenge error)")"
verdict 'the refusal names the scope to ask for' 'mcp:write' "$(challenge scope)"
mcp_request "$all" tools/call echo "$(tool calculate '{"expression": "1"}')"
verdict 'header and body name different tools' '400' "$status"
mcp_request '' tools/call echo "$(tool echo '{"text": "hello"}')"
verdict 'echo without credentials' '401' "$(answer "$(challenge error)")"

rest_request "$all" echo '{"text": "hello"}'
verdict 'REST: echo' '200 hello' "$(answer "$(field .result)")"
rest_request "$reader" calculate '{"expression": "1"}'
verdict 'REST: calculate without mcp:write' '403 insufficient_scope' "$(answer "$(challenge error)")"
rest_request "$all" no-such-tool '{}'
verdict 'REST: a tool that does not exist' '404' "$status"
rest_request '' echo '{"text": "hello"}'
verdict 'REST: echo without credentials' '401' "$(answer "$(challenge error)")"

# These need a clock or a Keycloak that misbehaves: curl cannot make them.
not_run 'an expired token: 401 invalid_token' 'see tests/realm/test_refused_tokens.py'
not_run 'no keys of Keycloak yet: 503 with Retry-After' 'see tests/realm/test_outage.py'
not_run 'too many requests: 429' 'nothing limits rates yet; the edge will'
