# What clears up after a change that was cut off when nobody is there: a unit that the next boot runs before the services start.
# shellcheck shell=sh

RECOVERY_UNIT=hearth-recover.service

# recovery_places: RECOVERY_FOLDER, RECOVERY_TARGET and RECOVERY_STATE ($STATE as the unit file names it), by the scope.
recovery_places() {
  RECOVERY_FOLDER=/etc/systemd/system RECOVERY_TARGET=multi-user.target RECOVERY_STATE=$STATE
  [ "$SCOPE" = user ] || return 0
  RECOVERY_FOLDER=$HOME/.config/systemd/user RECOVERY_TARGET=default.target RECOVERY_STATE=%h/.local/state/hearth
}

# recovery_unit: its text. It waits for nothing but the disks, and no service that a release names, or that a timer or socket of it
# starts, begins before it has ended. Timers and sockets themselves do not wait: basic.target waits for them, the bus of a user for
# that, and Podman, which puts secrets back, for the bus.
recovery_unit() {
  cat <<END
[Unit]
Description=Hearth: clear up after a change that was cut off
ConditionPathExists=$RECOVERY_STATE/journal
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
END
  if [ "$SCOPE" = system ]; then printf 'RequiresMountsFor=%s\nAfter=local-fs.target\n' "$STATE"; fi
  { cut -f 1 -- "$(table units)" && all_manifests | awk -F'\t' '$1 == "unit" { print $2 }'; } |
    sed -E 's/\.(timer|socket|path)$/.service/; s/%/%%/g; s/^/Before=/' | sort -u
  cat <<END

[Service]
Type=oneshot
ExecStart=/bin/sh "$RECOVERY_STATE/recover"
TimeoutStartSec=150

[Install]
WantedBy=$RECOVERY_TARGET
END
}

# recovery_program: what the unit runs. The cut-off change is undone or finished with its own programs.
recovery_program() {
  cat <<'END'
#!/bin/sh
# Run by hearth-recover.service at boot, when a journal says that a change was cut off.
set -eu
state=${0%/*}
apply=$(sed -n 's/^apply\t//p' "$state/journal")
exec /bin/sh "$state/apply/$apply/lib/transaction.sh" "$state/apply/$apply" boot
END
}

# install_recovery: before any journal, so that there is no moment at which a cut would leave one that nobody reads.
install_recovery() {
  recovery_places
  mkdir -p -- "$RECOVERY_FOLDER"
  recovery_program >"$WORK/recover"
  recovery_unit >"$WORK/$RECOVERY_UNIT"
  cmp -s -- "$WORK/recover" "$STATE/recover" || write_state "$STATE/recover" <"$WORK/recover"
  cmp -s -- "$WORK/$RECOVERY_UNIT" "$RECOVERY_FOLDER/$RECOVERY_UNIT" ||
    write_state "$RECOVERY_FOLDER/$RECOVERY_UNIT" <"$WORK/$RECOVERY_UNIT"
  [ ! -L "$RECOVERY_FOLDER/$RECOVERY_TARGET.wants/$RECOVERY_UNIT" ] || return 0
  # shellcheck disable=SC2086 # Two words in a user's scope.
  run "$DIR/output" $SYSTEMCTL enable -- "$RECOVERY_UNIT" || fail "$RECOVERY_UNIT, which clears up after a power cut, could not be enabled" "$DIR/output"
  sync -- "$RECOVERY_FOLDER/$RECOVERY_TARGET.wants" "$RECOVERY_FOLDER"
}

# remove_recovery: once no release is left.
remove_recovery() {
  recovery_places
  if [ ! -e "$RECOVERY_FOLDER/$RECOVERY_UNIT" ] || any_release; then return 0; fi
  $SYSTEMCTL disable -- "$RECOVERY_UNIT" >/dev/null 2>&1 || :
  rm -f -- "$RECOVERY_FOLDER/$RECOVERY_UNIT" "$STATE/recover"
  $SYSTEMCTL daemon-reload >/dev/null 2>&1 || :
}

any_release() {
  for any_meta in "$STATE"/releases/*/meta; do
    if [ -f "$any_meta" ]; then return 0; fi
  done
  return 1
}
