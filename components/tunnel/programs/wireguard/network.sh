#!/bin/sh
# Does something on this host already use the tunnel's network, or its port?
# Usage: network.sh INTERFACE SUBNET PORT; PORT: the UDP port to wait on, or nothing. Prints a line for each conflict: what, a tab, the
# fix; ends with status 1 when there is one. Changes nothing.
set -eu

interface=$1
subnet=$2
port=$3

# Prints each network of another interface that shares an address with the subnet, and its interface.
overlapping() {
  { ip -4 -o route show table all type unicast; ip -4 -o address show | awk '{ print $4, "dev", $2 }'; } |
    awk -v ours="$subnet" -v interface="$interface" '
      function number(address, octet) { split(address, octet, "."); return ((octet[1] * 256 + octet[2]) * 256 + octet[3]) * 256 + octet[4] }
      function length_of(range, parts) { return split(range, parts, "/") == 2 ? parts[2] : 32 }
      {
        range = $1 == "unicast" ? $2 : $1
        if (range !~ /^[0-9.]+(\/[0-9]+)?$/) next
        device = "?"
        for (i = 1; i < NF; i++) if ($i == "dev") device = $(i + 1)
        sub(/@.*/, "", device)
        bits = length_of(range) < length_of(ours) ? length_of(range) : length_of(ours)
        size = 2 ^ (32 - bits)
        if (device != interface && bits > 0 && int(number(range) / size) == int(number(ours) / size)) print range, device
      }' | sort -u
}

found=0
tab=$(printf '\t')
conflicts=$(overlapping)
if [ -n "$conflicts" ]; then
  found=1
  printf '%s\n' "$conflicts" | while read -r range device; do
    echo "the tunnel's network $subnet overlaps $range of $device${tab}write another \`subnet\` in hearth:tunnel, e.g. 10.213.88.0/30"
  done
fi
if [ -n "$port" ] && ! ip link show dev "$interface" >/dev/null 2>&1; then
  used=$(ss -H -l -u -n -p "sport = :$port" | sed -n 's/.*users:(("\([^"]*\)".*/\1/p; t; s/.*/another program/p' | head -n 1)
  if [ -n "$used" ]; then
    found=1
    echo "UDP port $port is used by $used${tab}stop it, or write another \`port\` in hearth:tunnel"
  fi
fi
exit "$found"
