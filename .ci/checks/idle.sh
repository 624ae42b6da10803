#!/usr/bin/env bash
# 10,000 clients that have asked once and keep their connections, against the release binary: others are served as ever,
# and each idle connection costs little memory.
source "$(dirname "$0")/lib.sh"

ulimit -n 12000 || fail "this needs 12,000 open files"
start_house RUST_LOG=warn GATEWAY_MAX_CONNECTIONS=11000 GATEWAY_IDLE_TIMEOUT=10m
rest 201 POST /api/v1/auth/register -H "$json" -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
python3 "$(dirname "$0")/idle_clients.py" "$rest" "$house" "$(field .access_token)"
