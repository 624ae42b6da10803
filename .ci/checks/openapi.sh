#!/usr/bin/env bash
# The OpenAPI document against programs of others: a validator takes it, a client generated from it plays the README's
# journey, and the service accepts every example in it.
#
# openapi.sh [URL]: against a running house (ADMIN_EMAIL, ADMIN_PASSWORD), else against one of its own.
source "$(dirname "$0")/lib.sh"
use_house "${1:-}"

env=$(python_with openapi openapi-spec-validator==0.9.* openapi-python-client==0.29.* ruff)
curl -sSf -o "$work/openapi.json" "$rest/openapi.json"
claim "the version" "$(jq -r .openapi "$work/openapi.json")" 3.1.0
"$env/bin/python" -m openapi_spec_validator "$work/openapi.json" || fail "the validator refuses the document"
passed=$((passed + 1))

PATH="$env/bin:$PATH" "$env/bin/openapi-python-client" generate \
  --path "$work/openapi.json" --output-path "$work/client" --fail-on-warning
passed=$((passed + 1))

export ADMIN_EMAIL=$admin_email ADMIN_PASSWORD=$password
PYTHONPATH="$work/client" "$env/bin/python" "$root/.ci/checks/journey_client.py" "$rest"
"$env/bin/python" "$root/.ci/checks/examples.py" "$rest"

echo "openapi: $passed passed, 0 failed"
