#!/usr/bin/env bash
# test_logs.sh FOLDER: what the services logged while the tests ran (TEST_LOGS=FOLDER) holds no secret.
source "$(dirname "$0")/lib.sh"

cat "$1"/*.log >"$work/logs"
# Else there would be nothing to find.
grep -q '"LOGIN"' "$work/logs" || fail "the tests logged no login"
passed=$((passed + 1))
without_secrets "$work/logs" || fail "a test made a service log a secret"
passed=$((passed + 1))

echo "logs of the tests: $passed passed, 0 failed ($(wc -l <"$work/logs") lines)"
