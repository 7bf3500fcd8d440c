#!/bin/sh
# One Release transaction, run by systemd: `lib/transaction.sh DIR [locked|recover]`; DIR is $STATE/apply/<id>. See PROTOCOL.md.
#   (nothing)  waits for the host's lock and runs itself again with `locked`
#   locked     the transaction
#   recover    clears up after this very transaction was cut off (run by the next one, which holds the lock)
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/redact.sh"
. "$DIR/lib/owner.sh"
. "$DIR/lib/scan.sh"
. "$DIR/lib/state.sh"
. "$DIR/lib/report.sh"
. "$DIR/lib/lock.sh"
. "$DIR/lib/steps.sh"
. "$DIR/lib/occupied.sh"
. "$DIR/lib/check.sh"
. "$DIR/lib/brings.sh"
. "$DIR/lib/packages.sh"
. "$DIR/lib/prepare.sh"
. "$DIR/lib/secret-store.sh"
. "$DIR/lib/containers.sh"
. "$DIR/lib/stage.sh"
. "$DIR/lib/validate.sh"
. "$DIR/lib/swap.sh"
. "$DIR/lib/units.sh"
. "$DIR/lib/tasks.sh"
. "$DIR/lib/health.sh"
. "$DIR/lib/record.sh"
. "$DIR/lib/undo.sh"

WORK=$DIR/work

main() {
  write_owner
  trap unexpected EXIT
  begin 1 lock "release $RELEASE on this host"
  mend_secret_store
  recover_interrupted || refuse_apply journal "$RECOVER_TEXT"
  begin 2 check "looking at the host"
  : >"$DIR/changed"
  scan_all
  check_identity
  check_owner
  check_guards
  check_conflicts
  check_obstacles
  check_space
  check_podman
  check_view
  mkdir -p -m 0700 -- "$OWN" "$DIR/undo"
  journal preparing
  apply_repositories
  apply_packages
  apply_images
  apply_users
  apply_directories
  apply_environments
  apply_secrets
  apply_container_secrets
  # Packages and secrets may have made what is compared below.
  scan_all
  note_unrecorded
  begin 7 stage "staging the changes"
  stage
  validate
  change
  begin 13 record "recording"
  prepare_record
  journal recording
  rm -f -- "$DIR/reserve"
  trap unrecorded EXIT
  commit_record
  report_record
  finish ok
}

# Everything holds, but it could not be written down (a full disk, say).
unrecorded() {
  row fail record "the new generation is active, but its records could not be written: $(tail -n 1 -- "$DIR/stderr"); the next apply does that"
  row end failed
}

# From here on a failure means the way back. Order: units that need no task, tasks, units that wait for tasks, health.
change() {
  keep_files
  keep_container_secrets
  keep_directories
  keep_units
  : >"$WORK/restarted"
  # The way back writes lists and a log: room for them, should the disk be full by then.
  head -c 262144 /dev/zero >"$DIR/reserve"
  journal swapping
  begin 9 swap "putting the new files in place"
  drop_units
  swap
  swap_container_secrets
  settle_units before
  apply_tasks
  settle_units after
  begin 12 health "waiting until the services answer"
  if ! wait_healthy "$REQUEST"; then
    : >"$DIR/output"
    if [ -n "$HEALTH_UNIT" ]; then unit_failed "$HEALTH_TEXT" "$HEALTH_UNIT"; fi
    blame_running
    fail "$HEALTH_TEXT" "$WORK/words"
  fi
  uptime_now
  while IFS=$TAB read -r name since; do row did "restarted $name (down $(seconds $((NOW - since))) s)"; done <"$WORK/restarted"
}

# The words of the release's running units, for a probe that never became ok.
blame_running() {
  sync_journal
  : >"$WORK/words"
  while IFS= read -r name; do
    $JOURNALCTL -u "$name" -n 20 --no-pager -o cat >>"$WORK/words" 2>/dev/null || :
  done <"$WORK/list.running"
}

recover() {
  set +e
  UNDOING=1
  if [ "$(value "$STATE/journal" state)" = recording ]; then
    set -e
    scan_all
    commit_record
    report_record
    finish ok
  fi
  STEP=interrupted
  fail "the transaction was cut off (power cut, or killed)"
}

exec >>"$DIR/log" 2>>"$DIR/stderr" </dev/null
read_meta
mkdir -p -m 0700 -- "$WORK"
case ${2-} in
  locked) main ;;
  recover) recover ;;
  *) run_locked "$DIR/lib/transaction.sh" ;;
esac
