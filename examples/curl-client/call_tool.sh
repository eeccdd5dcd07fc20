#!/usr/bin/env bash
# Calls one tool with an access token and prints the result, or the decoded refusal and what to do about it.
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat >&2 <<'END'
usage: call_tool.sh [--client ID] [--token -|none] [--rest] TOOL [NAME=TEXT | NAME:=JSON ...]

  --client ID        get a token for this service account (default: mcp-automation, or MCP_CLIENT_ID)
  --token -          read the token from standard input
  --token none       send no credentials, to see the challenge
  --rest             use POST /api/v1/tools/TOOL instead of MCP
  --list             list the tools that this caller may call

  ./call_tool.sh echo text=hello
  ./call_tool.sh calculate expression='6 * 7'

exit code: 0 the tool answered, 1 refused or failed, 2 usage or configuration, 3 nobody answered
END
  exit "$1"
}

credentials=get view=mcp
while [ $# -gt 0 ]; do
  case $1 in
    --client) MCP_CLIENT_ID=${2:?--client needs the id of a client}; shift 2 ;;
    --token) credentials=${2:?--token needs - or none}; shift 2 ;;
    --rest) view=rest; shift ;;
    --list) view=list; shift ;;
    -h | --help) usage 0 ;;
    -*) say "error: $1 is not an option"; usage 2 ;;
    *) break ;;
  esac
done
tool=${1:-}
[ "$view" = list ] || [ -n "$tool" ] || usage 2
[ $# -eq 0 ] || shift

arguments='{}'
for pair in "$@"; do
  name=${pair%%=*} value=${pair#*=}
  case $name in
    "$pair") die 2 "'$pair' is not an argument; write NAME=TEXT or NAME:=JSON" ;;
    *:) arguments=$(jq -c --arg k "${name%:}" --argjson v "$value" '.[$k] = $v' <<<"$arguments") ||
      die 2 "'$value' is not JSON; for text write ${name%:}=..." ;;
    *) arguments=$(jq -c --arg k "$name" --arg v "$value" '.[$k] = $v' <<<"$arguments") ;;
  esac
done

case $credentials in
  get) token=$("$here/get_token.sh" --client "$MCP_CLIENT_ID") ;;
  -) token=$(cat)
    [ -n "$token" ] || die 2 'no token came from standard input' ;;
  none) token='' ;;
  *) die 2 'a token does not belong on a command line, where other users can read it; pipe it in: --token -' ;;
esac

case $view in
  mcp) mcp_request "$token" tools/call "$tool" "$(jq -n --arg n "$tool" --argjson a "$arguments" '{name: $n, arguments: $a}')" ;;
  list) mcp_request "$token" tools/list '' '{}' ;;
  rest) rest_request "$token" "$tool" "$arguments" ;;
esac

if [ "$status" != 200 ]; then
  explain_refusal
  exit 1
fi
case $view in
  mcp) jq -r 'if .error then .error.message else .result.content[] | (.text // tojson) end' "$work/body" ;;
  list) jq -r '.result.tools[] | "\(.name)\t\(.description | split("\n")[0])"' "$work/body" ;;
  rest) jq -r '.result | if type == "string" then . else tojson end' "$work/body" ;;
esac
jq -e '[.error, .result.isError?] | any | not' "$work/body" >/dev/null || die 1 'the tool did not accept the call; its message is above'
