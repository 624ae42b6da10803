#!/usr/bin/env bash
# Schemathesis makes up requests from the OpenAPI document: nothing may answer 5xx, and every response must be as the
# document says.
#
# schemathesis.sh [URL]: against a running house (ADMIN_EMAIL, ADMIN_PASSWORD), else against one of its own. EXAMPLES
# is the number of requests that are made up for an operation, in each of the ways to make them up.
source "$(dirname "$0")/lib.sh"
use_house "${1:-}"

env=$(python_with schemathesis schemathesis==4.*)
checks=not_a_server_error,status_code_conformance,content_type_conformance
checks+=,response_headers_conformance,response_schema_conformance
examples=${EXAMPLES:-20}

admin_token() {
  jq -n --arg e "$admin_email" --arg p "$password" '{email: $e, password: $p}' |
    curl -sSf "$rest/api/v1/auth/login" -H 'content-type: application/json' -d @- | jq -r .access_token
}

# try_all [schemathesis' arguments …]
try_all() {
  (cd "$work" && "$env/bin/st" run "$rest/openapi.json" --checks "$checks" --max-examples "$examples" \
    --generation-deterministic --suppress-health-check all --warnings off \
    --request-timeout 15 --continue-on-failure --no-color "$@")
  passed=$((passed + 1))
}

# The operations that kill the caller's token are tried without one.
deadly=(Logout LogoutEverywhere ChangePassword DeleteCurrentUser)
without=() only=()
for name in "${deadly[@]}"; do
  without+=(--exclude-operation-id "$name")
  only+=(--include-operation-id "$name")
done
try_all --header "Authorization: Bearer $(admin_token)" "${without[@]}"
try_all "${only[@]}"

echo "schemathesis: $passed passed, 0 failed"
