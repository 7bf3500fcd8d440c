#!/bin/sh
# What is on the host now, compared with nothing: one pass, few processes, no change. `observe.sh DIR`; see PROTOCOL.md.
# Several requests, in `looks/N/request`, are answered at the same time, each after a row `look N STATUS`.
set -eu
DIR=$1

look_all() {
  for look in "$DIR"/looks/*; do
    ln -s -- "$DIR/lib" "$look/lib"
    {
      status=0
      sh "$DIR/observe.sh" "$look" >"$look/answer" 2>"$look/words" || status=$?
      printf '%s\n' "$status" >"$look/status"
    } &
  done
  wait
  for look in "$DIR"/looks/*; do
    printf 'look\t%s\t%s\n' "${look##*/}" "$(cat -- "$look/status")"
    cat -- "$look/answer"
    cat -- "$look/words" >&2
  done
}

if [ -d "$DIR/looks" ]; then
  look_all
  exit 0
fi
. "$DIR/lib/base.sh"
. "$DIR/lib/redact.sh"
. "$DIR/lib/owner.sh"
. "$DIR/lib/scan.sh"
. "$DIR/lib/containers.sh"
. "$DIR/lib/state.sh"
. "$DIR/lib/report.sh"
. "$DIR/lib/occupied.sh"
. "$DIR/lib/brings.sh"
. "$DIR/lib/check.sh"
. "$DIR/lib/units.sh"

read_meta
require_host
check_paths
WORK=$DIR/work
mkdir -p "$WORK"

start_probes
scan_all
if [ -s "$WORK/scan.refused" ]; then refuse unsafe "$(head -n 1 -- "$WORK/scan.refused" | cut -f 2)"; fi
report_lock
report_journal
report_release
report_scan
report_conflicts
report_brings
report_plan
report_changed
report_obstacles
report_probes
row end
