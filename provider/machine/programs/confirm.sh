#!/bin/sh
# Confirms a change that waits for it: the caller could log in after the change.
set -eu
DIR=$1
. "$DIR/lib/base.sh"

read_meta
require_host
[ -f "$STATE/apply/$APPLY/lib/transaction.sh" ] || refuse unknown "no apply $APPLY is running on this host"
: >"$STATE/apply/$APPLY/confirmed"
row end ok
