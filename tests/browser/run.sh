#!/usr/bin/env bash
# Runs the browser tests against the release build. Installs what is missing:
# Chromium from Debian, the driver from npm.
#
#   tests/browser/run.sh            run
#   tests/browser/run.sh --shots    run, and renew the screenshots of the docs
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v chromium >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium fonts-noto-cjk fonts-noto-color-emoji >/dev/null
fi
CHROMIUM=$(command -v chromium)
export CHROMIUM
if [ "${1:-}" = --shots ]; then
  SHOTS=$(cd ../.. && pwd)/docs/screenshots
  mkdir -p "$SHOTS"
  export SHOTS
fi

(cd ../.. && cargo build --release --locked -p hongyan)
npm ci --no-audit --no-fund --silent
npm test
