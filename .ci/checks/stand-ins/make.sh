#!/usr/bin/env bash
# Where no registry can be reached: puts images of our own making under the names of the official ones that the
# Dockerfile and docker-compose.yml use. An official image that is here, or can be pulled, is left as it is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
suite=bookworm
base=gatehouse-stand-in:$suite
label=gatehouse.stand-in

rust=$(sed -n 's/^FROM \([^ ]*\) AS build$/\1/p' "$root/Dockerfile")
runtime=$(sed -n 's/^FROM \([^ ]*\)$/\1/p' "$root/Dockerfile")
postgres=$(sed -n 's/^ *image: \(postgres:.*\)$/\1/p' "$root/docker-compose.yml")

# What the stand-in under this name was made from; empty for an official image, a failure when there is none.
made_from() { docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null; }

# provide NAME INGREDIENTS COMMAND …: the official image, a stand-in of the same ingredients, or a new one.
provide() {
  local name=$1 ingredients=$2 found
  shift 2
  if found=$(made_from "$name") && [ -z "$found" ]; then
    echo "image $name: here"
  elif docker pull --quiet "$name" >/dev/null 2>&1; then
    echo "image $name: pulled"
  elif [ "${found:-}" = "$ingredients" ]; then
    echo "image $name: NOT THE OFFICIAL ONE but the stand-in of an earlier run ($ingredients)"
  else
    echo "image $name: cannot be pulled, so a STAND-IN is made ($ingredients)"
    "$@" "$name" "$ingredients"
  fi
}

# Debian with a C compiler and PostgreSQL: what two of the stand-ins are, and the third is taken out of.
# shellcheck disable=SC2016 # The hooks' $1 is mmdebstrap's.
make_base() {
  ! docker image inspect "$base" >/dev/null 2>&1 || return 0
  command -v mmdebstrap >/dev/null || apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends mmdebstrap >/dev/null
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,gcc,libc6-dev,postgresql \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
    --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
    --essential-hook='echo "postgres:x:999:999::/var/lib/postgresql:/bin/bash" >>"$1/etc/passwd"' \
    --essential-hook='echo "postgres:x:999:" >>"$1/etc/group"' \
    "$suite" "$work/base.tar"
  docker import --change "LABEL $label=base" "$work/base.tar" "$base" >/dev/null
  rm "$work/base.tar"
}

# commit_with NAME INGREDIENTS [--change …]: the base with the files of a tar archive, read from standard input.
commit_with() {
  local name=$1 ingredients=$2
  shift 2
  container=$(docker create "$base" true)
  docker cp - "$container:/"
  docker commit "$@" --change "LABEL $label='$ingredients'" "$container" "$name" >/dev/null
  docker rm "$container" >/dev/null
  container=
}

# This machine's toolchain, and the crates of the lock file: a build in a container may reach no crate registry.
make_rust() {
  make_base
  local sysroot cargo_home=${CARGO_HOME:-$HOME/.cargo} settings=()
  sysroot=$(cd "$root" && rustc --print sysroot)
  (cd "$root" && cargo fetch --quiet --locked)
  [ ! -e "$cargo_home/config.toml" ] || settings=(config.toml)
  tar -c --exclude=share \
    --transform "s,^\./,usr/local/rust/,;s,^\(registry\|config.toml\),usr/local/cargo/\1," \
    -C "$sysroot" ./bin ./lib -C "$cargo_home" registry/cache registry/index "${settings[@]}" |
    commit_with "$1" "$2" --change 'ENV PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
      --change 'ENV CARGO_HOME=/usr/local/cargo' --change 'ENV CARGO_NET_OFFLINE=true'
}

# The C library, certificates, time zones and the user `nonroot`; no shell.
make_runtime() {
  make_base
  docker run --rm -i "$base" sh -eu >"$work/runtime.tar" <<'SCRIPT'
    mkdir -p /new/etc/ssl/certs /new/home/nonroot /new/usr/lib /new/usr/lib64
    ln -s usr/lib /new/lib
    ln -s usr/lib64 /new/lib64
    dpkg -L base-files ca-certificates libc6 libgcc-s1 libstdc++6 tzdata | sed 's,^/lib,/usr/lib,' | sort -u |
      while read -r path; do { [ -f "$path" ] || [ -L "$path" ]; } && echo "$path"; done >/list || true
    tar -c --files-from=/list 2>/dev/null | tar -x -C /new
    cp /etc/ssl/certs/ca-certificates.crt /new/etc/ssl/certs/
    echo 'root:x:0:0:root:/root:/sbin/nologin' >/new/etc/passwd
    echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >>/new/etc/passwd
    printf 'root:x:0:\nnonroot:x:65532:\n' >/new/etc/group
    mkdir -m 1777 /new/tmp
    chown 65532:65532 /new/home/nonroot
    tar -c -C /new .
SCRIPT
  docker import --change 'USER 65532' --change "LABEL $label='$2'" \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$work/runtime.tar" "$1" >/dev/null
}

make_postgres() {
  make_base
  local data=/var/lib/postgresql/data
  install -D -m 755 "$here/postgres-entrypoint.sh" "$work/postgres/usr/local/bin/docker-entrypoint.sh"
  mkdir -p "$work/postgres/docker-entrypoint-initdb.d"
  install -d -o 999 -g 999 "$work/postgres/var/lib/postgresql" "$work/postgres$data"
  install -d -o 999 -g 999 -m 3777 "$work/postgres/run/postgresql"
  tar -c -C "$work/postgres" . |
    commit_with "$1" "$2" --change "ENV PGDATA=$data LANG=C.UTF-8" --change "VOLUME $data" --change 'EXPOSE 5432' \
      --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["postgres"]'
}

work=$(mktemp -d)
container=
trap 'rm -rf "$work"; [ -z "$container" ] || docker rm "$container" >/dev/null' EXIT

provide "$rust" "$(rustc --version | cut -d' ' -f1,2), $(sha256sum "$root/Cargo.lock" | cut -c1-12)" make_rust
provide "$runtime" "Debian $suite" make_runtime
provide "$postgres" "PostgreSQL of Debian $suite, $(sha256sum "$here/postgres-entrypoint.sh" | cut -c1-12)" make_postgres
