#!/usr/bin/env bash
# The docs page in a real browser: register, authorize and list widgets by clicking.
#
# docs_page.sh [URL]: against a running house, else against one of its own. SCREENSHOTS is where pictures go.
source "$(dirname "$0")/lib.sh"
use_house "${1:-}"

command -v chromium >/dev/null || fail "there is no chromium: apt-get install chromium"
env=$(python_with playwright playwright)
"$env/bin/python" "$root/.ci/checks/docs_page.py" "$rest" "${SCREENSHOTS:-$root/target/screenshots}"
