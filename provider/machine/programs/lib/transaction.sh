#!/bin/sh
# One Release transaction, run by systemd: `lib/transaction.sh DIR [locked|recover|boot|killed]`; DIR is $STATE/apply/<id>. See PROTOCOL.md.
#   (nothing)     waits for the host's lock and runs itself again with `locked`
#   locked        the transaction
#   recover       clears up after this very transaction was cut off (run by the next one, which holds the lock)
#   boot, killed  the same with nobody there: at boot, before the units start, or as soon as systemd sees that it was killed
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/redact.sh"
. "$DIR/lib/owner.sh"
. "$DIR/lib/scan.sh"
. "$DIR/lib/state.sh"
. "$DIR/lib/report.sh"
. "$DIR/lib/lock.sh"
. "$DIR/lib/recovery.sh"
. "$DIR/lib/steps.sh"
. "$DIR/lib/occupied.sh"
. "$DIR/lib/check.sh"
. "$DIR/lib/brings.sh"
. "$DIR/lib/packages.sh"
. "$DIR/lib/programs.sh"
. "$DIR/lib/prepare.sh"
. "$DIR/lib/secret-store.sh"
. "$DIR/lib/containers.sh"
. "$DIR/lib/stage.sh"
. "$DIR/lib/validate.sh"
. "$DIR/lib/swap.sh"
. "$DIR/lib/units.sh"
. "$DIR/lib/tasks.sh"
. "$DIR/lib/health.sh"
. "$DIR/lib/confirm.sh"
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
  check_tasks
  mkdir -p -m 0700 -- "$OWN" "$DIR/undo"
  install_recovery
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
  unstarted >>"$DIR/changed"
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
  : >"$WORK/started"
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
  if ! wait_healthy "$REQUEST" || ! stay_healthy; then
    : >"$DIR/output"
    if [ -n "$HEALTH_UNIT" ]; then unit_failed "$HEALTH_TEXT" "$HEALTH_UNIT"; fi
    blame_running
    fail "$HEALTH_TEXT" "$WORK/words"
  fi
  publish_facts
  wait_confirmed
  while IFS=$TAB read -r name since; do row did "restarted $name (down $(seconds $((ANSWERED - since))) s)"; done <"$WORK/restarted"
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
  UNDOING=1
  if [ "$(value "$STATE/journal" state)" = recording ]; then
    scan_all
    commit_record
    report_record
    finish ok
  fi
  set +e
  STEP=interrupted
  fail "the transaction was cut off (power cut, or killed)"
}

# clear_up boot|killed: takes the lock for it. Any other holder begins with the same, so it is not waited for (an observe
# has it for a moment only).
clear_up() {
  [ "$(value "$STATE/journal" apply)" = "$APPLY" ] || return 0
  # It has said that it cannot clear up: not at once again.
  if [ "$1" = killed ] && ! had_ended "$DIR/log"; then
    case $(tail -n 1 -- "$DIR/log") in end*) return 0 ;; esac
  fi
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    clear_status=0
    flock -o -n -E 75 "$STATE/lock" sh "$DIR/lib/transaction.sh" "$DIR" "$1-locked" || clear_status=$?
    [ "$clear_status" = 75 ] || return "$clear_status"
    sleep 0.2
  done
}

# clear_up_killed: from the unit that all others are ordered after, nothing may be waited for; from one of its own, health too.
clear_up_killed() {
  exec $SYSTEMD_RUN --quiet --collect --unit="hearth-undo-$APPLY" --description="Hearth: release $RELEASE, which was killed" \
    -- /bin/sh "$DIR/lib/transaction.sh" "$DIR" killed
}

# recover_alone WHEN: what it comes to is kept for the next apply to tell.
recover_alone() {
  write_owner
  mend_secret_store
  if had_ended "$DIR/log"; then
    drop_journal "$APPLY"
    leave_log "$DIR"
  else
    # A process of its own, in which an error ends it.
    sh "$DIR/lib/transaction.sh" "$DIR" recover || :
    row "an interrupted change of release $RELEASE was cleared up $1: $(recovered_verdict "$DIR/log")" >>"$STATE/recovered"
  fi
  rm -f -- "$STATE/owner"
  forget_failed "$APPLY"
}

exec >>"$DIR/log" 2>>"$DIR/stderr" </dev/null
read_meta
mkdir -p -m 0700 -- "$WORK"
case ${2-} in
  locked) main ;;
  recover) recover ;;
  boot) if [ "$(value "$STATE/journal" boot)" = "$(boot_id)" ]; then clear_up_killed; else clear_up boot; fi ;;
  killed) clear_up killed ;;
  boot-locked)
    # Nothing may be waited for then.
    export AT_BOOT=1
    recover_alone "at boot"
    ;;
  killed-locked) recover_alone "when it was killed" ;;
  *) run_locked "$DIR/lib/transaction.sh" ;;
esac
