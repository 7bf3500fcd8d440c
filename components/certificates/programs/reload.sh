#!/bin/sh
# Reloads the proxy when the certificate is another one than at the last reload. Usage: reload.sh DATA UNIT
set -eu

data=$1
unit=$2
current=$(readlink -- "$data/current")
if [ "$current" = "$(cat -- "$data/reloaded" 2>/dev/null)" ]; then exit 0; fi
if systemctl --quiet is-active "$unit"; then
  systemctl reload "$unit"
  echo "reloaded $unit"
fi
printf '%s\n' "$current" >"$data/reloaded.new"
mv -f -- "$data/reloaded.new" "$data/reloaded"
