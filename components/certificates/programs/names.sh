#!/bin/sh
# Do the public names have an address? Asked before anything is changed, while there is no certificate yet.
# Usage: names.sh CERTIFICATE NAME... Prints a line for each name that has none: what, a tab, the fix; ends with status 1 then.
set -eu

if [ -e "$1" ]; then exit 0; fi
shift
told=0
for name in "$@"; do
  if getent ahosts "$name" >/dev/null; then continue; fi
  told=1
  printf '%s\t%s\n' "$name has no address in DNS, so no authority gives a certificate for it" \
    "create an A record for $name (and AAAA, if the host has IPv6); a new record may take some minutes"
done
exit "$told"
