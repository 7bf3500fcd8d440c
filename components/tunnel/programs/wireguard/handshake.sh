#!/bin/sh
# Does the other end of the tunnel answer? WireGuard itself says so only by the time of its last handshake.
# Usage: handshake.sh INTERFACE PUBLIC_KEY NAME PORT; NAME and PORT: where the other end waits, for the message.
set -eu

# While packets flow there is a new handshake every two minutes, and after three the session ends; section 6 of WireGuard's paper.
OLDEST=185

last=$(wg show "$1" latest-handshakes | awk -v key="$2" '$1 == key { print $2 }')
age=$(($(date +%s) - ${last:-0}))
if [ "${last:-0}" -gt 0 ] && [ "$age" -le "$OLDEST" ]; then exit 0; fi
if [ "${last:-0}" -eq 0 ]; then echo "no answer from $3 on UDP port $4 since the tunnel was started" >&2
else echo "no answer from $3 on UDP port $4 for $age s" >&2; fi
echo "fix: see that $3 leads to the edge, that the edge's provider lets in UDP port $4, and that this network lets UDP out; where it does not, try \`port: 443\`" >&2
exit 1
