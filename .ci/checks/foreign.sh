#!/usr/bin/env bash
# A service in another language, its descriptor set made by another compiler and unknown when the gateway was built:
# it gets REST, a document and a table of routes, and a faulty set is refused with the place of each fault.
#
# GATEWAY_COMMAND is the gateway that is tried, such as target/debug/gateway.
source "$(dirname "$0")/lib.sh"
read -ra gateway <<<"${GATEWAY_COMMAND:-$root/target/release/gatehouse gateway}"
here=$root/.ci/checks/foreign

env=$(python_with foreign grpcio-tools grpcio-status googleapis-common-protos openapi-spec-validator==0.9.*)
include=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')

# compile NAME [protoc's arguments …]
compile() {
  local name=$1
  shift
  "$env/bin/python" -m grpc_tools.protoc -I "$here" -I "$include" "$@" "$here/$name.proto"
}

# describe NAME: the descriptor set of NAME.proto, in $work.
describe() { compile "$1" --include_imports --include_source_info --descriptor_set_out="$work/$1.bin"; }

# line_of FILE PATTERN: `FILE:LINE` of the first match in one of the .proto files.
line_of() { echo "$1:$(grep -n -m 1 "$2" "$here/$1" | cut -d : -f 1)"; }

serve_library() {
  mkfifo "$work/stop"
  PYTHONPATH=$work "$env/bin/python" "$here/service.py" <"$work/stop" >"$work/port" &
  pids+=("$!")
  exec 8>"$work/stop"
  for _ in $(seq 200); do
    [ -s "$work/port" ] && break
    sleep 0.05
  done
  [ -s "$work/port" ] || fail "the service did not start"
  export GATEWAY_UPSTREAMS=library.v1=http://127.0.0.1:$(cat "$work/port")
}

serve_gateway() {
  GATEWAY_LISTEN=127.0.0.1:0 GATEWAY_OPS_LISTEN=127.0.0.1:0 "${gateway[@]}" >"$work/out" 2>"$work/log" &
  house=$!
  pids+=("$house")
  for _ in $(seq 200); do
    rest=$(sed -n 's/^REST //p' "$work/out")
    [ -n "$rest" ] && return
    kill -0 "$house" 2>/dev/null || fail "the gateway did not start"
    sleep 0.05
  done
  fail "the gateway did not say where it is"
}

describe library
compile library --python_out="$work" --grpc_python_out="$work"
export GATEWAY_DESCRIPTORS=$work/library.bin
serve_library
serve_gateway
"$env/bin/python" "$root/.ci/checks/foreign.py" "$rest"

route() { "${gateway[@]}" routes | tr -s ' ' | grep -F "$1"; }
claim "a route" "$(route ':lend')" 'POST /v1/{name=shelves/*/books/*}:lend - * /library.v1.Library/LendBook'
claim "routes" "$("${gateway[@]}" routes | wc -l)" 9
"${gateway[@]}" openapi >"$work/openapi.json"
claim "the document" "$(jq -S . "$work/openapi.json" | sha256sum)" "$(curl -sSf "$rest/openapi.json" | jq -S . | sha256sum)"
"$env/bin/python" -m openapi_spec_validator "$work/openapi.json" || fail "the validator refuses the document"
stop_house

# refused STATUS WHAT [VARIABLE=value …]: the gateway does not start; what it says is left in $said.
refused() {
  local expected=$1 what=$2 status=0
  shift 2
  said=$(env "$@" "${gateway[@]}" 2>&1 >/dev/null) || status=$?
  claim "$what stops the start ($said)" "$status" "$expected"
}
says() { claim "the report says '$1': $said" "$(grep -cF "$1" <<<"$said")" 1; }

describe broken
refused 1 "a faulty set" GATEWAY_DESCRIPTORS="$work/broken.bin"
says "$(line_of broken.proto Misnamed): broken.v1.Broken.Misnamed: \`/v1/things/{nme}\` column 13: "
says "$(line_of broken.proto Unclosed): broken.v1.Broken.Unclosed: \`/v1/{name=things/*\` column 19: "
refused 64 "a package without a URL" GATEWAY_UPSTREAMS=other.v1=http://127.0.0.1:1
says "GATEWAY_UPSTREAMS"
says "library.v1"
head -c 1000 "$work/library.bin" >"$work/half.bin"
refused 64 "half a set" GATEWAY_DESCRIPTORS="$work/half.bin"
says "GATEWAY_DESCRIPTORS"
compile broken --descriptor_set_out="$work/alone.bin"
refused 64 "a set without its imports" GATEWAY_DESCRIPTORS="$work/alone.bin"
says "google/api/annotations.proto"

echo "foreign descriptors: $passed passed, 0 failed"
