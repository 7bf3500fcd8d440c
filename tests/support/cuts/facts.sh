#!/bin/sh
# Run in a sandbox host: `facts.sh SCOPE CONF OWN ENV URL UNITS`. One fact a line: the complete state of a generation of the test's release.
scope=$1 conf=$2 own=$3 env=$4 url=$5
ctl=systemctl state=/var/lib/hearth
if [ "$scope" = user ]; then ctl='systemctl --user' state=$HOME/.local/state/hearth; fi
tries=0
while served=$(busybox wget -q -O - "$url" 2>/dev/null || echo down) && [ "$served" = down ] && [ $tries -lt 40 ] && $ctl -q is-active cuts.service; do
  tries=$((tries + 1))
  sleep 0.1
done
echo "served: $served"
for unit in cuts.service cuts-a.service cuts-b.service cuts-tick.timer; do
  echo "$unit: $($ctl is-enabled "$unit" 2>/dev/null || :) $($ctl is-active "$unit" 2>/dev/null || :)"
done
echo "tick: $($ctl show -p Description --value cuts-tick.timer)"
for file in "$conf/cuts.conf" "$conf/pair" "$conf/given" "$own/file" "$own/foreign" "$env/version"; do
  echo "$file: $(cat "$file" 2>/dev/null || echo absent)"
done
echo "current: $(cat "$conf/current" || echo absent)"
if [ -L "$own/link" ]; then echo "own link: to $(readlink "$own/link")"; else echo "own link: $(cat "$own/link" 2>/dev/null || echo absent)"; fi
echo "data: $(stat -c %a "$conf/data" 2>/dev/null || echo absent)"
echo "journal: $(cat "$state/journal" 2>/dev/null | tr '\n\t' '; ')"
echo "litter: $(find "$conf" "$own" "${env%/*}" -mindepth 1 -name '*hearth*' ! -name .hearth-ready ! -name .hearth-holds 2>/dev/null | tr '\n' ' ')"
