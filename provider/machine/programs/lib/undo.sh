# The way back: from a failure, a cancel, a kill, or (at the next boot) from a power cut.
# shellcheck shell=sh

# undo_transaction: puts back what this transaction replaced and says what holds now. Additions stay.
undo_transaction() {
  UNDOING=1
  pm_free_services
  restore_environments
  drop_half_secrets
  if [ "$(value "$STATE/journal" state)" != swapping ]; then return 0; fi
  row step "$STEPS" "$STEPS" "putting the previous generation back"
  rebooted=
  if [ "$(value "$STATE/journal" boot)" != "$(boot_id)" ]; then rebooted=1; fi
  trouble=
  stop_new_units "$rebooted"
  restore_files 2>"$DIR/output" || {
    trouble="not all files could be put back: $(tail -n 1 -- "$DIR/output"); the next apply tries again"
    KEEP_UNDO=1
  }
  restore_container_secrets || {
    trouble="not all Podman secrets could be put back: $(tail -n 1 -- "$DIR/output"); the next apply tries again"
    KEEP_UNDO=1
  }
  if [ -f "$DIR/undo/files" ] && plan_touches_units "$DIR/undo/files" 3; then $SYSTEMCTL daemon-reload 2>/dev/null; fi
  restore_units
  if [ -z "$trouble" ] && [ -z "${AT_BOOT-}" ] && [ -f "$OWN/request/units" ] && ! wait_healthy "$OWN/request"; then trouble=$HEALTH_TEXT; fi
  report_undone
}

report_undone() {
  generation=$(value "$OWN/meta" generation)
  if [ -n "$trouble" ] && [ -z "${KEEP_UNDO-}" ] && [ "$($SYSTEMCTL is-system-running 2>/dev/null)" = stopping ]; then
    # Nothing starts on a host that is going down.
    row undone later "the files of generation ${generation:-0} are back; the host is going down, its units start when it comes up again"
  elif [ -n "$trouble" ]; then
    row undone failed "generation ${generation:-0} was put back, but: $trouble"
  elif [ -z "$generation" ]; then
    row undone ok "the host has what it had before; release $RELEASE is not installed"
  elif [ -n "${AT_BOOT-}" ]; then
    row undone ok "generation $generation was put back at boot, before its units started; their health was not waited for"
  else
    row undone ok "generation $generation is active, its units and health are as before"
  fi
}
