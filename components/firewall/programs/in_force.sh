#!/bin/sh
# Is the table that the kernel uses the one of the rule file? Somebody may have flushed or changed it.
# Usage: in_force.sh NFT RULES TABLE. Ends with status 0, or prints what differs. Changes nothing.
set -eu
nft=$1 rules=$2 table=$3

# shellcheck disable=SC2086 # Family and name.
live=$("$nft" -s list table $table 2>/dev/null) || {
  echo "the table $table is not loaded, so all ports are open"
  exit 1
}
# In a network of its own, where it meets no packet, the kernel makes a table of the file as it did here.
# shellcheck disable=SC2016 # The inner shell's own words.
wanted=$(unshare --net -- sh -c '"$1" -f "$2" && exec "$1" -s list table $3' sh "$nft" "$rules" "$table")
[ "$live" = "$wanted" ] || {
  echo "the rules of the table $table were changed by hand"
  exit 1
}
