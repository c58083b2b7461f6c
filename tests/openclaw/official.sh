#!/usr/bin/env bash
# Packs the official plugin, unchanged except for the host that its QR login is
# pinned to, which becomes the address given. Prints the path of the tarball.
#
#   tests/openclaw/official.sh http://127.0.0.1:8787
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p target/openclaw/official
cd target/openclaw/official
SPEC=openclaw-weixin-2.4.9
[ -e "tencent-weixin-$SPEC.tgz" ] || npm pack --silent "@tencent-weixin/openclaw-weixin@2.4.9" >/dev/null
rm -rf package && tar -xzf "tencent-weixin-$SPEC.tgz"
grep -rl "https://ilinkai.weixin.qq.com" package/dist | xargs sed -i "s|https://ilinkai.weixin.qq.com|$1|g"
OUT=$PWD/official-$(echo "$1" | tr -dc 0-9).tgz
tar -czf "$OUT" package
echo "$OUT"
