#!/bin/sh
# Starts the transaction of this request as a unit of its own, so that nothing that happens to the caller stops it, and follows its log.
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/follow.sh"

read_meta
require_host
require_manager
check_paths
target=$STATE/apply/$APPLY
# The same id again: somebody lost the line and asks once more. There is only one transaction.
if [ ! -e "$target" ]; then
  mkdir -p -m 0700 -- "$STATE" "$STATE/apply"
  size=$(du -sk -- "$DIR" | cut -f 1)
  available=$(df --output=avail -k -- "$STATE" | tail -n 1)
  [ $((available)) -gt $((size + 16384)) ] || refuse space "$((size / 1024 + 17)) MiB are needed on the file system of $STATE, $((available / 1024)) MiB are free"
  rm -rf -- "$target.new"
  # What was sent may hold given secrets: no half copy of it stays.
  # First of all the boot that it belongs to, by which one that was cut off is known.
  { mkdir -m 0700 -- "$target.new" && boot_id >"$target.new/boot" && cp -a -- "$DIR/." "$target.new/"; } || {
    rm -rf -- "$target.new"
    refuse space "the file system of $STATE has no room for the change"
  }
  : >"$target.new/log"
  mv -T -- "$target.new" "$target"
  # Killed, it cannot clear up: systemd runs this when it has ended in whatever way.
  quoted=$(printf '%s' "$target" | sed 's/[\\"]/\\&/g')
  $SYSTEMD_RUN --quiet --collect --unit="hearth-apply-$APPLY" --description="Hearth: release $RELEASE" \
    -p KillMode=mixed -p TimeoutStopSec=150 -p "ExecStopPost=-:/bin/sh \"$quoted/lib/stopped.sh\" \"$quoted\"" -p OnFailure=hearth-recover.service -- /bin/sh "$target/lib/transaction.sh" "$target" >"$DIR/started" 2>&1 </dev/null || {
    rm -rf -- "$target"
    refuse systemd "the transaction could not be started: $(tail -n 1 -- "$DIR/started")"
  }
fi
follow
