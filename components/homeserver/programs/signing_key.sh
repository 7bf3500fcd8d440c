#!/bin/sh
# Makes the signing key of a new server: `signing_key.sh IDENTITY RESTORE PROGRAM...`. PROGRAM prints the key, RESTORE says how to put
# an old one back. Other servers know a server by its key: one that was in use and is gone is not replaced by another without a word.
set -eu
identity=$1 restore=$2
shift 2
if grep -q '^serverName' "$identity" 2>/dev/null; then
  echo "the signing key of this server is gone, and other servers know it by that key. Put it back from a backup: $restore. If it is lost for good, remove the line serverName from $identity: a new key is made then" >&2
  exit 1
fi
exec "$@"
