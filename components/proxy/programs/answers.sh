#!/bin/sh
# Does the proxy answer for its name on each port? Any HTTP answer counts: what is behind it has its own probes.
# Usage: answers.sh NAME ADDRESS PORT...
set -eu

name=$1
address=$2
shift 2
for port in "$@"; do
  # The certificate is checked elsewhere, by those whose trust matters.
  status=$(curl --silent --show-error --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' \
    --resolve "$name:$port:$address" -- "https://$name:$port/") || {
    echo "no answer for $name on port $port" >&2
    exit 1
  }
  # Every path of the proxy's that is not named says 404 itself.
  if [ "$status" != 404 ]; then
    echo "unexpected status $status for $name on port $port: another server answers there" >&2
    exit 1
  fi
done
