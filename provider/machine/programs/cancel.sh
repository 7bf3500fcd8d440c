#!/bin/sh
# Asks a running transaction to stop at its next safe point and roll back; does not wait for it (result.sh does).
set -eu
DIR=$1
. "$DIR/lib/base.sh"

read_meta
require_host
[ -f "$STATE/apply/$APPLY/lib/transaction.sh" ] || refuse unknown "no apply $APPLY is running on this host"
: >"$STATE/apply/$APPLY/cancel"
row end ok
