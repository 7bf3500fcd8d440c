# The course of a transaction: its steps, its failures, its end. Standard output is the log that followers read.
# shellcheck shell=sh

STEPS=13

# begin N NAME TEXT: the next step; the safe point at which a cancel is obeyed.
begin() {
  STEP=$2
  row step "$1" "$STEPS" "$3"
  obey_cancel
}

obey_cancel() {
  [ ! -e "$DIR/cancel" ] || fail "cancelled"
}

# fail TEXT [FILE]: the transaction failed; FILE has the failing program's words. Undoes what was done and ends.
fail() {
  set +e
  trap - EXIT
  rm -f -- "$DIR/reserve"
  row fail "$STEP" "$(printf '%s\n' "$1" | redact)"
  if [ -n "${2-}" ] && [ -s "$2" ]; then row output "$(redact <"$2" | tail -n 20 | base64 -w 0)"; fi
  undo_transaction
  finish failed
}

# run FILE COMMAND...: runs it with its words in FILE; for `|| fail`.
run() {
  run_output=$1
  shift
  "$@" >"$run_output" 2>&1 </dev/null
}

# The shell gave up somewhere unforeseen (a full disk, say).
unexpected() {
  fail "the step was cut off by an unexpected error" "$DIR/stderr"
}

# finish ok|failed|refused: says the end and leaves only the log behind (no content, no given secret).
# Where files could not be put back, the journal and the copies stay, for the next apply to try again.
# The journal goes before what it makes others use: cut off in between, there is nothing left to undo or finish.
finish() {
  trap - EXIT
  set +e
  row end "$1"
  # Killed while it made a Podman secret, it left the value in memory.
  if [ "$SCOPE" = user ]; then rm -f -- "$XDG_RUNTIME_DIR/hearth-secret.$APPLY"; fi
  if [ -n "${KEEP_UNDO-}" ]; then
    rm -rf -- "$REQUEST/content" "$REQUEST/given" "$REQUEST/container-given" "$DIR/stage"
  else
    drop_journal "$APPLY"
    leave_log "$DIR"
    remove_recovery
  fi
  rm -f -- "$STATE/owner"
  prune_applies
  exit 0
}

# Keeps the logs of the last 20 transactions, and whole the one that the journal tells of: only it can put its files back.
prune_applies() {
  prune_kept=$(value "$STATE/journal" apply)
  # shellcheck disable=SC2012  # names are ids that we chose
  ls -1t -- "$STATE/apply" | tail -n +21 | while IFS= read -r prune_id; do
    if [ "$prune_id" != "$prune_kept" ]; then rm -rf -- "$STATE/apply/${prune_id:?}"; fi
  done
}

# refuse_apply CODE TEXT: as refuse, once the lock is held.
refuse_apply() {
  trap - EXIT
  set +e
  row refuse "$1" "$2"
  pm_free_services
  restore_environments
  finish refused
}

# journal STATE: writes where this transaction stands. preparing: only additions so far; swapping: undo it; recording: finish it.
# What it makes the next apply use (programs, kept files, records) is on the disk before it says so.
journal() {
  sync -f -- "$DIR"
  uptime_now
  {
    row apply "$APPLY"
    row release "$RELEASE"
    row state "$1"
    row uptime "$NOW"
    row boot "$(boot_id)"
  } | write_state "$STATE/journal"
}

# changed SUBJECT: remembers that something units may depend on is new.
changed() { printf '%s\n' "$1" >>"$DIR/changed"; }
