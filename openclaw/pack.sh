#!/usr/bin/env bash
# Packs the plugin for OpenClaw: the compiled shim and the program, in one
# tarball for this machine's platform.
#
#   openclaw/pack.sh [PROGRAM]     default: target/release/hongyan
#
# Prints the path of the tarball. It is linted, and types are checked against an OpenClaw that is
# installed below target/openclaw (tests/openclaw/install.sh puts it there).
#
# Another platform is a package `hongyan-<platform>-<arch>` with `bin/hongyan` in
# it and "os" and "cpu" set; it is named under optionalDependencies and in
# openclaw.install.requiredPlatformPackages. The shim looks there when bin/ of
# this package has no program.
set -euo pipefail
cd "$(dirname "$0")"
ROOT=$(cd .. && pwd)
PROGRAM=${1:-$ROOT/target/release/hongyan}
OUT=$ROOT/target/openclaw/pack

npm ci --no-audit --no-fund --ignore-scripts --omit=peer --silent
ln -sfn "$ROOT/target/openclaw/host/node_modules/openclaw" node_modules/openclaw
rm -rf dist "$OUT"
npx tsc -p .
npx oxlint --deny-warnings src >&2
mkdir -p "$OUT/bin"
cp -R package.json openclaw.plugin.json README.md README.zh-CN.md dist src "$OUT"
install -m 755 "$PROGRAM" "$OUT/bin/hongyan"
# Nothing of this has to be installed with it.
node -e '
  const fs = require("node:fs"), file = process.argv[1] + "/package.json";
  const { devDependencies, scripts, ...rest } = JSON.parse(fs.readFileSync(file, "utf8"));
  rest.os = [process.platform]; rest.cpu = [process.arch];
  fs.writeFileSync(file, JSON.stringify(rest, null, 2) + "\n");
' "$OUT"
cd "$ROOT/target/openclaw"
echo "$PWD/$(npm pack --silent --ignore-scripts "$OUT")"
