# Following a transaction's log; the transaction does not notice who follows.
# shellcheck shell=sh

# follow: prints the log of transaction $APPLY from line $LINE until it ends.
follow() {
  follow_log=$STATE/apply/$APPLY/log
  follow_pid=$($SYSTEMCTL show -p MainPID --value "hearth-apply-$APPLY.service")
  if [ "${follow_pid:-0}" != 0 ]; then
    tail -n "+$LINE" -s 0.1 -f --pid="$follow_pid" -- "$follow_log"
  else
    tail -n "+$LINE" -- "$follow_log"
  fi
  case $(tail -n 1 -- "$follow_log") in
    end*) ;;
    *)
      row fail interrupted "the transaction was cut off (power cut, or killed)"
      if [ "$(value "$STATE/journal" apply)" = "$APPLY" ] && [ "$(value "$STATE/journal" state)" != preparing ]; then
        row undone failed "half of the change may be in place; the next apply undoes it first"
      fi
      row end failed
      ;;
  esac
}
