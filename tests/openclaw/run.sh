#!/usr/bin/env bash
# The channel inside the real OpenClaw, with our backend on one side and a small
# model on the other. Prints TAP.
#
#   tests/openclaw/run.sh [--oldest] [FILE…]
#
# HONGYAN names the program; by default it is built for release.
set -euo pipefail
cd "$(dirname "$0")"
ROOT=$(cd ../.. && pwd)
VERSION=$(cat newest)
if [ "${1:-}" = --oldest ]; then VERSION=$(cat oldest); shift; fi

./install.sh >/dev/null # for the types
HOST=$(./install.sh "$VERSION")
if [ -z "${HONGYAN:-}" ]; then
  (cd "$ROOT" && cargo build --release --locked -p hongyan)
  HONGYAN=$ROOT/target/release/hongyan
fi
PATH="$ROOT/target/openclaw/node/node_modules/node/bin:$PATH"
if [ -z "${TARBALL:-}" ]; then TARBALL=$("$ROOT/openclaw/pack.sh" "$HONGYAN"); fi
export HONGYAN PATH HOST TARBALL
if [ "${1:-}" = bench.mjs ]; then exec node bench.mjs; fi
if [ $# -eq 0 ]; then
  set -- shim.test.mjs crashes.test.mjs conversation.test.mjs install.test.mjs accounts.test.mjs \
    logins.test.mjs cron.test.mjs official.test.mjs hooks.test.mjs
fi
node --test ${ONLY:+--test-name-pattern="$ONLY"} --test-reporter=tap --test-concurrency=2 "$@"
