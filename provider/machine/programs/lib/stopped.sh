#!/bin/sh
# `lib/stopped.sh DIR`, run by systemd when a transaction has ended. One that ended by itself left only its log; of one that was
# killed, this removes the operator's secrets. What undoes or finishes it does not need them.
set -eu
DIR=$1
. "$DIR/lib/base.sh"

read_meta
rm -rf -- "$REQUEST/given" "$REQUEST/container-given" "$DIR/stage" "$DIR/work/secret"
if [ "$SCOPE" = user ]; then rm -f -- "$XDG_RUNTIME_DIR/hearth-secret.$APPLY"; fi
