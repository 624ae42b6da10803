#!/usr/bin/env bash
# What the official image's entrypoint promises, as far as a docker-compose.yml can see it: POSTGRES_USER,
# POSTGRES_PASSWORD[_FILE], POSTGRES_DB, PGDATA and /docker-entrypoint-initdb.d, at the first start.
set -euo pipefail

PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  chown -R postgres "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  password=${POSTGRES_PASSWORD:-}
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || password=$(<"$POSTGRES_PASSWORD_FILE")
  [ -n "$password" ] || { echo "POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE is missing" >&2; exit 1; }
  initdb --username="$user" --pwfile=<(echo "$password") --encoding=UTF8 --locale=C.UTF-8
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"

  # By the socket only, so that nobody comes in before everything is prepared.
  pg_ctl --wait start -o "-c listen_addresses=''"
  database=${POSTGRES_DB:-$user}
  [ "$database" = postgres ] || createdb --username="$user" --maintenance-db=postgres "$database"
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) bash "$file" ;;
      *.sql) psql -X -v ON_ERROR_STOP=1 --username="$user" --dbname="$database" --file="$file" ;;
    esac
  done
  pg_ctl --wait --mode=fast stop
fi
exec "$@" -c "listen_addresses=*"
