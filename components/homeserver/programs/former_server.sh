#!/bin/sh
# Did another Synapse leave its identity or its data on this host? A new server would stand next to them, with a key of its own.
# Usage: former_server.sh OUR_SIGNING_KEY [ROOT]; ROOT: where the host's files are (tests). Prints a line for each folder: what, a
# tab, the fix; ends with status 1 when there is one. Changes nothing.
set -eu

ours=$1
root=${2-}

# Our server has been here: what lies next to it is known to its operator.
if [ -e "$root$ours" ]; then exit 0; fi

# holds FOLDER PATTERN...: is there a file like that? Names of files are not shown: a service may have chosen them.
holds() {
  folder=$1
  shift
  for pattern in "$@"; do
    # shellcheck disable=SC2086 # The patterns are ours, and are meant to match.
    for file in "$root$folder"/$pattern; do
      if [ -e "$file" ]; then return 0; fi
    done
  done
  return 1
}

status=0
# Where Debian's and the vendor's packages and the usual guides keep keys, databases and media.
for folder in /etc/matrix-synapse /var/lib/matrix-synapse /opt/synapse /matrix/synapse/config; do
  holds "$folder" '*.signing.key' '*.db' 'media/*' 'media_store/*' || continue
  status=1
  printf '%s\t%s\n' "another Synapse has left its key or its data in $folder, and no release of Hearth made it" \
    "if it is still needed, use another host, or move what it holds first (docs/decisions/what-serves-already-stays.md); if it is not needed any more, move it away: mkdir -p /root/former-synapse && mv $folder /root/former-synapse/"
done
exit "$status"
