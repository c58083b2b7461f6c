#!/usr/bin/env bash
# Puts an OpenClaw and a Node new enough for it below target/openclaw, from npm.
# Node has a folder of its own: a later install in the same one removes it.
#
#   tests/openclaw/install.sh [VERSION]     default: the newest that is tested
set -euo pipefail
cd "$(dirname "$0")/../.."
VERSION=${1:-$(cat tests/openclaw/newest)}
NODE=target/openclaw/node
HOST=target/openclaw/openclaw-$VERSION

put() { # folder, package: installed once, and put there whole
  [ -e "$1/done" ] && return
  rm -rf "$1" && mkdir -p "$1"
  (cd "$1" && echo '{"private":true}' >package.json && npm install --no-audit --no-fund --silent "${@:2}")
  touch "$1/done"
}
put "$NODE" node@24
PATH="$PWD/$NODE/node_modules/node/bin:$PATH"
export PATH
put "$HOST" --ignore-scripts "openclaw@$VERSION"
# Types are checked against the newest.
if [ "$VERSION" = "$(cat tests/openclaw/newest)" ]; then
  ln -sfn "openclaw-$VERSION" target/openclaw/host
fi
echo "$PWD/$HOST"
