#!/usr/bin/env bash
# The journey of the README by real curl and real grpcurl against the release binary: from sign-up to a dead token.
source "$(dirname "$0")/lib.sh"

grpcurl=$(find_grpcurl)
[ -x "$grpcurl" ] || fail "there is no grpcurl"

start_house
[ -n "$password" ] || fail "the first start printed no administrator's password"

# --- REST, as a user
rest 201 POST /api/v1/auth/register -H "$json" -d '{"email":" Ada@Example.com ","password":"correct horse battery staple"}'
claim "the token's type" "$(field .token_type)" Bearer
claim "the token's lifetime" "$(field .expires_in)" 3600
rest 409 POST /api/v1/auth/register -H "$json" -d '{"email":"ada@example.COM","password":"correct horse battery staple"}'
claim "a taken address" "$(field .reason)" EMAIL_TAKEN
rest 401 POST /api/v1/auth/login -H "$json" -d '{"email":"ada@example.com","password":"wrong"}'
claim "a wrong password" "$(field .reason)" BAD_CREDENTIALS
rest 200 POST /api/v1/auth/login -H "$json" -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
user="authorization: Bearer $(field .access_token)"
rest 200 GET /api/v1/auth/user -H "$user"
claim "the address as registered" "$(field '.email | ascii_downcase')" ada@example.com
claim "the first to register is no administrator" "$(field .admin)" false
sprocket='{"name":"sprocket-9","description":"a wheel with teeth","info_url":"https://example.com/9","deadline":"2099-12-31T12:00:00Z"}'
rest 403 POST /api/v1/widgets -H "$user" -H "$json" -d "$sprocket"
claim "a user creates no widget" "$(field .reason)" ADMIN_REQUIRED
rest 401 GET /api/v1/widgets
claim "without a token" "$(header www-authenticate)" 'Bearer realm="gatehouse"'

# --- REST, as the administrator
rest 200 POST /api/v1/auth/login -H "$json" -d "$(jq -n --arg p "$password" '{email:"admin@gatehouse.local",password:$p}')"
admin="authorization: Bearer $(field .access_token)"
rest 201 POST /api/v1/widgets -H "$admin" -H "$json" -d "$sprocket"
claim "where the new widget is" "$(header location)" /api/v1/widgets/sprocket-9
claim "who owns it" "$(field .owner.email)" admin@gatehouse.local
rest 409 POST /api/v1/widgets -H "$admin" -H "$json" -d "$sprocket"
claim "a taken name" "$(field .reason)" WIDGET_EXISTS
rest 400 POST /api/v1/widgets -H "$admin" -H "$json" -d '{"name":"Not OK","info_url":"nowhere","deadline":"soon"}'
claim "every bad field at once" "$(field '[.errors[].field] | sort | join(",")')" deadline,info_url,name
rest 200 GET /api/v1/widgets/sprocket-9 -H "$user"
etag=$(header etag)
rest 304 GET /api/v1/widgets/sprocket-9 -H "$user" -H "if-none-match: $etag"
rest 200 GET '/api/v1/widgets?page_size=1&count_total=true' -H "$user"
claim "one widget in all" "$(field .total_size)" 1
rest 200 PATCH /api/v1/widgets/sprocket-9 -H "$admin" -H "$json" -H "if-match: $etag" -d '{"description":"changed"}'
rest 412 PATCH /api/v1/widgets/sprocket-9 -H "$admin" -H "$json" -H "if-match: $etag" -d '{"description":"again"}'
claim "a stale etag" "$(field .reason)" WIDGET_STALE
rest 200 PUT /api/v1/widgets/sprocket-9 -H "$admin" -H "$json" -d "$sprocket"
claim "a replaced widget" "$(field .description)" "a wheel with teeth"
rest 201 PUT /api/v1/widgets/sprocket-10 -H "$admin" -H "$json" -d "${sprocket/sprocket-9/sprocket-10}"
rest 204 DELETE /api/v1/widgets/sprocket-10 -H "$admin"
rest 404 GET /api/v1/widgets/sprocket-10 -H "$user"
claim "a deleted widget" "$(field .reason)" WIDGET_NOT_FOUND
rest 404 GET /api/v1/nothing
claim "an unknown path" "$(field .reason)" PATH_NOT_FOUND
rest 405 DELETE /api/v1/auth/login
rest 200 GET /.well-known/jwks.json
claim "a public key without its private half" "$(field '.keys[0] | has("d")')" false

# --- gRPC by reflection, no proto files at hand
grpc OK "$auth" grpc.health.v1.Health/Check '{}'
claim "auth is healthy" "$(field .status)" SERVING
grpc OK "$widget" grpc.health.v1.Health/Check '{"service":"widget.v1.WidgetService"}'
claim "widget is healthy" "$(field .status)" SERVING
grpc OK "$auth" auth.v1.AuthService/Register '{"email":"bob@example.com","password":"correct horse battery staple"}'
bob="authorization: Bearer $(field .accessToken)"
grpc OK "$auth" auth.v1.AuthService/GetCurrentUser '{}' -H "$bob"
claim "who bob is" "$(field .email)" bob@example.com
grpc PermissionDenied "$widget" widget.v1.WidgetService/CreateWidget "{\"widget\":$sprocket}" -H "$bob"
grpc OK "$widget" widget.v1.WidgetService/CreateWidget "{\"widget\":${sprocket/sprocket-9/cog}}" -H "$admin"
grpc InvalidArgument "$widget" widget.v1.WidgetService/CreateWidget '{"widget":{"name":"No"}}' -H "$admin"
grpc OK "$widget" widget.v1.WidgetService/UpdateWidget '{"widget":{"name":"cog","description":"x"},"update_mask":{"paths":["description"]}}' -H "$admin"
grpc OK "$widget" widget.v1.WidgetService/ReplaceWidget "{\"widget\":${sprocket/sprocket-9/cog}}" -H "$admin"
grpc OK "$widget" widget.v1.WidgetService/GetWidget '{"name":"cog"}' -H "$bob"
grpc OK "$widget" widget.v1.WidgetService/ListWidgets '{"order_by":"name"}' -H "$bob"
claim "both widgets by name" "$(field '[.widgets[].name] | join(",")')" cog,sprocket-9
grpc OK "$widget" widget.v1.WidgetService/DeleteWidget '{"name":"cog"}' -H "$admin"
grpc Unauthenticated "$widget" widget.v1.WidgetService/ListWidgets '{}'
grpc PermissionDenied "$auth" auth.v1.TrustService/Sync '{}' -H "$admin"
grpc OK "$auth" auth.v1.AuthService/Logout '{}' -H "$bob"
grpc Unauthenticated "$widget" widget.v1.WidgetService/ListWidgets '{}' -H "$bob"

# --- a logout kills at once, everywhere
rest 204 POST /api/v1/auth/logout -H "$user"
rest 401 GET /api/v1/widgets -H "$user"
claim "a dead token" "$(field .reason)" TOKEN_REVOKED
[[ "$(header www-authenticate)" == *'error="invalid_token"'* ]] || fail "a dead token's challenge: $(header www-authenticate)"
rest 401 GET /api/v1/auth/user -H "$user"

# --- what was written is there after a restart, and what was killed is still dead
stop_house
start_house
claim "the password is shown once" "$password" ""
rest 200 GET /api/v1/widgets/sprocket-9 -H "$admin"
rest 401 GET /api/v1/widgets/sprocket-9 -H "$user"
claim "still dead after a restart" "$(field .reason)" TOKEN_REVOKED
stop_house

echo "journey: $passed passed, 0 failed"
