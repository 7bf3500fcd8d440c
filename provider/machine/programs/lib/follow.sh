# Following a transaction's log; the transaction does not notice who follows.
# shellcheck shell=sh

# follow: prints the log of transaction $APPLY from line $LINE until it ends.
follow() {
  follow_log=$STATE/apply/$APPLY/log
  : >"$DIR/followed"
  # First the transaction; then, when it was killed, what clears up after it.
  while ! follow_ended && follow_writer && [ "$follow_pid" != 0 ]; do
    tail -n "+$((LINE + $(wc -l <"$DIR/followed")))" -s 0.1 -f --pid="$follow_pid" -- "$follow_log" | tee -a -- "$DIR/followed"
  done
  tail -n "+$((LINE + $(wc -l <"$DIR/followed")))" -- "$follow_log"
  if follow_ended; then return 0; fi
  row fail interrupted "the transaction was cut off (power cut, or killed)"
  if [ "$(value "$STATE/journal" apply)" = "$APPLY" ]; then
    case $(value "$STATE/journal" state) in
      swapping) row undone failed "half of the change may be in place; the next apply, or boot, undoes it first" ;;
      recording) row undone complete "the change is in place and proved, only not recorded; the next apply, or boot, does that first" ;;
    esac
  fi
  row end failed
}

follow_ended() { case $(tail -n 1 -- "$follow_log") in end*) return 0 ;; *) return 1 ;; esac; }

# follow_writer: the process that writes the log now in follow_pid, 0 when there is none any more: the transaction, or what
# hearth-recover.service has started to clear up after it.
follow_writer() {
  follow_tries=0
  while :; do
    $SYSTEMCTL show -p Id,ActiveState,MainPID,Job "hearth-apply-$APPLY.service" hearth-recover.service "hearth-undo-$APPLY.service" >"$DIR/follow-units"
    # A block for each unit, its properties in systemd's own order.
    follow_pid=$(awk -v RS= '
      !/(^|\n)Id=hearth-recover/ && match($0, /(^|\n)MainPID=[1-9][0-9]*/) { pid = substr($0, RSTART, RLENGTH); sub(/.*=/, "", pid) }
      END { print pid + 0 }
    ' "$DIR/follow-units")
    # Between the end of one and the start of the other there is none for a moment.
    if [ "$follow_pid" != 0 ] || ! grep -q -x -E 'ActiveState=(activating|deactivating)|Job=[1-9].*' "$DIR/follow-units"; then return 0; fi
    follow_tries=$((follow_tries + 1))
    [ "$follow_tries" -lt 100 ] || return 0
    sleep 0.1
  done
}
