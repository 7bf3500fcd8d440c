# One transaction at a time on a host, and what to do about one that was cut off.
# shellcheck shell=sh

# run_locked PROGRAM: runs `PROGRAM DIR locked` while holding the host's lock and ends with its status.
# Another `pulumi up` that holds the lock is an error at once; another Release of the same one is waited for, up to 10 minutes.
# flock -o keeps the lock in flock alone: a daemon started below can never inherit it, and a dead holder holds nothing.
run_locked() {
  mkdir -p -m 0700 -- "$STATE"
  # A stop of this unit asks for a roll back (the program looks at the file), it does not just kill.
  trap ': >"$DIR/cancel"' TERM INT
  uptime_now
  lock_since=$NOW lock_tries=0 lock_told=
  while :; do
    flock -o -n -E 75 "$STATE/lock" sh "$1" "$DIR" locked &
    lock_child=$!
    lock_status=0
    wait "$lock_child" || lock_status=$?
    while [ "$lock_status" -gt 128 ] && kill -0 "$lock_child" 2>/dev/null; do
      lock_status=0
      wait "$lock_child" || lock_status=$?
    done
    [ "$lock_status" = 75 ] || exit "$lock_status"
    [ ! -e "$DIR/cancel" ] || refuse_lock cancelled "cancelled while waiting for the lock of this host"
    wait_for_holder
  done
}

# Decides by the holder's own words. They may be missing or stale for a moment (it just began, or someone only looked), so ask again.
wait_for_holder() {
  # One look at it: the file changes hands while we read.
  cp -p -- "$STATE/owner" "$DIR/holder" 2>/dev/null || : >"$DIR/holder"
  lock_holder=$(value "$DIR/holder" release)
  if [ "$(value "$DIR/holder" run)" != "$RUN" ]; then
    lock_tries=$((lock_tries + 1))
    # A holder that has not named itself yet may be slow, or one of this run.
    lock_patience=5
    [ -s "$DIR/holder" ] || lock_patience=50
    if [ "$lock_tries" -lt "$lock_patience" ]; then
      sleep 0.2
      return 0
    fi
    [ -s "$DIR/holder" ] || refuse_lock locked "somebody is changing this host; try again when that is done"
    lock_age=$(age "$(value "$DIR/holder" uptime)" "$(value "$DIR/holder" boot)" "$DIR/holder")
    refuse_lock locked "$(value "$DIR/holder" operator) has been changing this host for $lock_age s (release $lock_holder); try again when that is done"
  fi
  lock_tries=0
  uptime_now
  [ $((NOW - lock_since)) -lt 60000 ] || refuse_lock locked "waited 10 minutes for release $lock_holder of the same run"
  if [ "$lock_holder" != "$lock_told" ]; then
    row step 1 13 "waiting for release $lock_holder on this host"
    lock_told=$lock_holder
  fi
  sleep 0.3
}

# refuse_lock CODE TEXT: as refuse; nothing but the log stays of what was sent (it may hold given secrets).
refuse_lock() {
  leave_log "$DIR"
  refuse "$1" "$2"
}

# Says who holds the lock (for refusals and observe). Called with the lock held.
write_owner() {
  uptime_now
  {
    row operator "$OPERATOR"
    row run "$RUN"
    row release "$RELEASE"
    row apply "$APPLY"
    row uptime "$NOW"
    row boot "$(boot_id)"
  } >"$STATE/owner.new"
  mv -f -- "$STATE/owner.new" "$STATE/owner"
}

# Undoes (or finishes) the transaction that a journal on disk tells of, with that transaction's own programs and request.
# 1, with the reason in RECOVER_TEXT, when that was not possible: nothing may be built on top of it.
recover_interrupted() {
  if [ -f "$STATE/journal" ]; then recover_journaled || return 1; fi
  tell_recovered
  clear_dead_applies
}

recover_journaled() {
  recover_apply=$(value "$STATE/journal" apply)
  recover_release=$(value "$STATE/journal" release)
  recover_dir=$STATE/apply/$recover_apply
  # One that had ended, and was cut off while it cleaned up, needs nothing more (and may have lost its programs).
  if [ -f "$recover_dir/lib/transaction.sh" ] && ! had_ended "$recover_dir/log"; then
    sh "$recover_dir/lib/transaction.sh" "$recover_dir" recover || :
    write_owner
    if [ -f "$STATE/journal" ]; then
      RECOVER_TEXT="an interrupted change of release $recover_release could not be undone: $(recovered_verdict "$recover_dir/log")"
      return 1
    fi
    row note "an interrupted change of release $recover_release was found and cleared up: $(recovered_verdict "$recover_dir/log")"
  fi
  drop_journal "$recover_apply"
  leave_log "$recover_dir"
  forget_failed "$recover_apply"
}

# forget_failed APPLY: what systemd remembers of a transaction that was killed, now that it is cleared up.
forget_failed() { $SYSTEMCTL reset-failed -- "hearth-apply-$1.service" "hearth-undo-$1.service" 2>/dev/null || :; }

# had_ended LOG: did it come so far that only cleaning up was left? What it undid or recorded was on the disk before it said so.
had_ended() { [ -f "$1" ] && awk -F'\t' '$1 == "undone" { ended = $2 == "ok" } $1 == "release" { ended = 1 } END { exit !ended }' "$1"; }

# drop_journal APPLY: before anything that it makes others use.
drop_journal() {
  [ "$(value "$STATE/journal" apply)" = "$1" ] || return 0
  rm -f -- "$STATE/journal"
  sync -- "$STATE"
}

# leave_log DIRECTORY: what stays of a transaction.
leave_log() {
  [ -d "$1" ] || return 0
  find "$1" -mindepth 1 -maxdepth 1 ! -name log ! -name stderr -exec rm -rf -- {} +
}

# What was cleared up with nobody there is told by the next apply.
tell_recovered() {
  [ -f "$STATE/recovered" ] || return 0
  while IFS= read -r recovered_text; do row note "$recovered_text"; done <"$STATE/recovered"
  rm -f -- "$STATE/recovered"
}

# What transactions of an earlier boot left besides their logs. One that ended before it had a journal (it waited for the lock, say)
# is found by nobody else, and what was sent may hold given secrets.
clear_dead_applies() {
  dead_boot=$(boot_id)
  for dead in "$STATE"/apply/*/boot; do
    if [ ! -f "$dead" ] || [ "$(cat -- "$dead")" = "$dead_boot" ]; then continue; fi
    dead=${dead%/boot}
    case $dead in
      *.new) rm -rf -- "$dead" ;;
      *) leave_log "$dead" ;;
    esac
  done
}

# recovered_verdict LOG: what its log says in the end.
recovered_verdict() {
  awk -F'\t' '$1 == "undone" { text = $3 } $1 == "end" { if ($2 == "ok") text = "finished" } END { print text == "" ? "nothing had been replaced" : text }' "$1"
}
