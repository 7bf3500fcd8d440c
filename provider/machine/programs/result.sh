#!/bin/sh
# Follows a transaction again, from line $LINE of its log (1: all of it).
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/follow.sh"

read_meta
require_host
[ -f "$STATE/apply/$APPLY/log" ] || refuse unknown "this host knows nothing of apply $APPLY"
follow
