#!/usr/bin/env bash
# docker-compose.yml brought up for real, and a journey through its gateway: one auth service is killed on the way, the
# containers are looked at from outside, and everything is stopped, started again and taken away.
source "$(dirname "$0")/lib.sh"

if ! docker info >/dev/null 2>&1; then
  echo "compose: SKIPPED, NOTHING WAS CHECKED: there is no Docker Engine on this machine"
  exit 0
fi
cd "$root"
if docker compose version >/dev/null 2>&1; then
  compose() { docker compose "$@"; }
else
  command -v docker-compose >/dev/null || apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends docker-compose >/dev/null
  compose() { docker-compose "$@"; }
fi

# A project, an image, a network and ports of its own: a house that runs on this machine is left alone.
export COMPOSE_PROJECT_NAME=gatehouse-check-$$ GATEHOUSE_IMAGE=gatehouse-check:$$ GATEHOUSE_NET=10.213.$((65 + $$ % 190))
export GATEWAY_PORT=0 AUTH_PORT=0 WIDGET_PORT=0
# The other checks try the release binary; this one tries what is around it. PROFILE=release builds what is shipped.
export PROFILE=${PROFILE:-dev}
REVISION=$(git rev-parse HEAD)
export REVISION
alone=$COMPOSE_PROJECT_NAME-alone
added=$COMPOSE_PROJECT_NAME-added
services=(auth-2 widget-1 widget-2 gateway postgres)

leave() {
  local status=$?
  [ "$status" -eq 0 ] || compose logs --tail=30 >&2 || true
  docker rm --force --volumes "$alone" "$added" >/dev/null 2>&1 || true
  compose down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || true
  docker image rm "$GATEHOUSE_IMAGE" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap leave EXIT

# quietly WHAT COMMAND …: says how long it took; its output only when it fails.
quietly() {
  local what=$1 began=$SECONDS
  shift
  "$@" >"$work/output" 2>&1 || { tail -n 60 "$work/output" >&2; fail "$what"; }
  echo "$what: $((SECONDS - began)) s"
}

# id SERVICE: its container. Compose itself would take a second to say so.
id() {
  docker ps --all --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
    --filter "label=com.docker.compose.service=$1"
}
inspect() { docker inspect --format "$2" "$(id "$1")"; }
address_of() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }
address() { address_of "$(id "$1")"; }

# healthy CONTAINER: waits until Docker says so.
healthy() {
  local deadline=$((SECONDS + 180))
  until [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; do
    [ "$SECONDS" -lt "$deadline" ] || return
    sleep 0.2
  done
}

come_up() { compose up -d && healthy "$(id gateway)"; }

# What the kernel says about a container's first process.
kernel_says() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$(inspect "$1" '{{.State.Pid}}')/status"; }

# list_at CODE REPLICA TOKEN: ListWidgets by gRPC at one widget service itself.
list_at() {
  grpc "$1" "$(address "$2"):50052" widget.v1.WidgetService/ListWidgets '{}' -H "authorization: Bearer $3"
}

# log_in EMAIL: leaves the token in $token.
log_in() {
  rest 200 POST /api/v1/auth/login -H "$json" -d "$(jq -n --arg e "$1" --arg p "$password" '{email:$e,password:$p}')"
  token=$(field .access_token)
}

register() {
  rest 201 POST /api/v1/auth/register -H "$json" -d "$(jq -n --arg e "$1" --arg p "$password" '{email:$e,password:$p}')"
}

# A dead token is refused by each widget service, and by whichever the gateway asks.
dead_everywhere() {
  list_at Unauthenticated widget-1 "$1"
  list_at Unauthenticated widget-2 "$1"
  for _ in 1 2 3 4; do
    rest 401 GET /api/v1/widgets -H "authorization: Bearer $1"
    claim "why" "$(field .reason)" TOKEN_REVOKED
  done
}

log_out() { rest 204 POST /api/v1/auth/logout -H "authorization: Bearer $1"; }

grpcurl=$(find_grpcurl)
.ci/checks/stand-ins/make.sh
quietly "the image is built" compose build
quietly "everything is up" come_up

# --- the image: nothing but the base and the binary, and it says what it is
size() { docker image inspect --format '{{.Size}}' "$1"; }
label() { docker image inspect --format "{{index .Config.Labels \"org.opencontainers.image.$1\"}}" "$GATEHOUSE_IMAGE"; }
image=$(size "$GATEHOUSE_IMAGE")
base=$(size "$(label base.name)")
binary=$(docker cp "$(id gateway)":/usr/local/bin/gatehouse - | wc -c)
echo "the image: $((image / 1000000)) MB, of which the binary ($PROFILE) is $((binary / 1000000)), the base $((base / 1000000))"
[ "$image" -lt $((base + binary + 1000000)) ] || fail "the image holds more than the base and the binary"
claim "its revision" "$(label revision)" "$REVISION"
claim "its version" "$(label version)" "$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)"
claim "its user" "$(docker image inspect --format '{{.Config.User}}' "$GATEHOUSE_IMAGE")" 65532:65532

rest=http://127.0.0.1:$(compose port gateway 8080 | sed 's/.*://')
password=$(head -c 24 /dev/urandom | base64)

# --- the journey
register ada@example.com
log_in ada@example.com
ada=$token
compose exec -T auth-1 gatehouse auth create-admin --email root@example.com <<<"$password" >"$work/output" 2>&1 ||
  fail "create-admin: $(cat "$work/output")"
log_in root@example.com
admin=$token
widget='{"name":"sprocket-9","info_url":"https://example.com/9","deadline":"2099-12-31T12:00:00Z"}'
rest 403 POST /api/v1/widgets -H "authorization: Bearer $ada" -H "$json" -d "$widget"
rest 201 POST /api/v1/widgets -H "authorization: Bearer $admin" -H "$json" -d "$widget"
rest 200 GET /api/v1/widgets/sprocket-9 -H "authorization: Bearer $ada"
claim "who owns it" "$(field .owner.email)" root@example.com
list_at OK widget-1 "$ada"
list_at OK widget-2 "$ada"
log_out "$ada"
dead_everywhere "$ada"

# --- the client's address comes through the gateway, and from outside nobody can make one up
rest 200 POST /api/v1/auth/login -H 'x-forwarded-for: 203.0.113.9' -H "$json" \
  -d "$(jq -n --arg p "$password" '{email:"ada@example.com",password:$p}')"
rest 200 GET '/api/v1/audit-events?page_size=1' -H "authorization: Bearer $admin"
claim "the client in the audit" "$(field '.events[0].client')" "$GATEHOUSE_NET.1"

# --- both replicas of each service take part
for _ in $(seq 8); do
  log_in ada@example.com
  rest 200 GET /api/v1/widgets -H "authorization: Bearer $token"
done
# calls ADDRESS METHOD: what a service's metrics say of a method; nothing when it was never called.
calls() { curl -sS "http://$1/metrics" | grep "^rpc_server_duration_seconds_count.*method=\"$2\"" || true; }
for n in 1 2; do
  [ -n "$(calls "$(address auth-$n):9101" Login)" ] || fail "auth-$n was never asked to log anybody in"
  [ -n "$(calls "$(address widget-$n):9102" ListWidgets)" ] || fail "widget-$n was never asked for widgets"
done

# --- a replica more, under a name that the gateway knows, is asked within seconds
compose run --detach --no-deps --use-aliases --name "$added" widget-1 >/dev/null 2>&1
healthy "$added" || fail "a widget service that was added is not healthy"
deadline=$((SECONDS + 10))
until [ -n "$(calls "$(address_of "$added"):9102" ListWidgets)" ]; do
  [ "$SECONDS" -lt "$deadline" ] || fail "a widget service that was added is not asked"
  rest 200 GET /api/v1/widgets -H "authorization: Bearer $token"
done
docker rm --force "$added" >/dev/null

# --- an auth service dies, and the house goes on
docker kill "$(id auth-1)" >/dev/null
for n in $(seq 10); do
  register "user-$n@example.com"
  log_in "user-$n@example.com"
  rest 200 GET /api/v1/widgets -H "authorization: Bearer $token"
done
log_out "$token"
dead_everywhere "$token"

# --- what the containers may do
for service in "${services[@]}"; do
  [ "$(kernel_says "$service" Uid | cut -f1)" != 0 ] || fail "$service runs as root"
  claim "$service has no capability" "$(kernel_says "$service" CapEff)" 0000000000000000
  claim "$service can gain none" "$(kernel_says "$service" NoNewPrivs)" 1
  root_mount=$(awk '$2 == "/" { print $4 }' "/proc/$(inspect "$service" '{{.State.Pid}}')/mounts")
  [[ "$root_mount" =~ ^ro(,|$) ]] || fail "$service can write to its root file system"
done
# reads USER FILE: a secret, as that user.
reads() { docker run --rm --user "$1" --volume "${COMPOSE_PROJECT_NAME}_secrets:/secrets:ro" --entrypoint cat "$postgres" "$2"; }
postgres=$(inspect postgres '{{.Config.Image}}')
{ reads 10002 /secrets/widget/service_token; echo; reads 10001 /secrets/auth/key_secret; echo; echo "$password"; } >"$work/secrets"
! reads 10002 /secrets/auth/key_secret 2>/dev/null || fail "the widget service can read a secret of the auth service"

# --- what is to be seen from outside
# shellcheck disable=SC2016 # Go's variables.
published() { inspect "$1" '{{range $port, $at := .NetworkSettings.Ports}}{{range $at}}{{$port}} {{.HostIp}} {{end}}{{end}}'; }
for service in auth-2 widget-2 postgres; do
  claim "what $service publishes" "$(published "$service")" ""
done
claim "what widget-1 publishes" "$(published widget-1)" "50052/tcp 127.0.0.1 "
containers=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")
# shellcheck disable=SC2086 # One word for each container.
docker inspect $containers >"$work/seen"
compose logs --no-color >>"$work/seen" 2>&1
! grep -qF -f "$work/secrets" "$work/seen" || fail "a secret is in the settings or the logs of a container"

# --- stopped, each part ends well; started again, everything is still there
quietly "everything is stopped" compose stop
for service in "${services[@]}"; do
  claim "$service ends with" "$(inspect "$service" '{{.State.ExitCode}}')" 0
done
quietly "everything is up again" come_up
rest=http://127.0.0.1:$(compose port gateway 8080 | sed 's/.*://')
rest 200 GET /api/v1/widgets/sprocket-9 -H "authorization: Bearer $admin"
dead_everywhere "$ada"

# --- the image alone is the whole house
docker run --detach --name "$alone" --read-only --cap-drop ALL --volume /var/lib/gatehouse/data "$GATEHOUSE_IMAGE" >/dev/null
quietly "the image alone is up" healthy "$alone"
docker logs "$alone" 2>/dev/null | grep -q '^admin .* password: ' || fail "the image alone shows no administrator's password"
docker stop "$alone" >/dev/null
claim "the image alone ends with" "$(docker inspect --format '{{.State.ExitCode}}' "$alone")" 0

echo "compose: $passed passed, 0 failed"
