#!/bin/sh
# Stops and removes what a release owns, never data: secrets, users, packages, environments and directories with content stay.
# Does nothing when the release has another instance (its successor was made before this delete). May be run again after a cut.
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/state.sh"
. "$DIR/lib/lock.sh"
. "$DIR/lib/owner.sh"
. "$DIR/lib/recovery.sh"
. "$DIR/lib/scan.sh"
. "$DIR/lib/stage.sh"
. "$DIR/lib/swap.sh"

WORK=$DIR/work

# Units first: their files are still there for their stop commands. Units that another release names too, or that were only
# watched, stay.
remove_units() {
  awk -F'\t' 'T == 1 { if ($1 == "unit") users[$2]++; next } $1 == "unit" && ($3 == 1 || $4 == "running") && users[$2] < 2 { print $2 }' \
    T=1 "$WORK/manifests" T=2 "$OWN/manifest" >"$WORK/units"
  while IFS= read -r name; do
    stop_triggered "$name"
    $SYSTEMCTL disable --now -- "$name" >"$WORK/output" 2>&1 || $SYSTEMCTL stop -- "$name" >>"$WORK/output" 2>&1 || :
    $SYSTEMCTL reset-failed -- "$name" 2>/dev/null || :
    row did "stopped $name"
  done <"$WORK/units"
}

# What is done with is written down: after a cut, what lies there is the operator's.
remove_files() {
  touch -- "$OWN/originals" "$OWN/deleted"
  : >"$WORK/swapped"
  awk -F'\t' 'T == 1 { done[$0] = 1; next } $1 == "file" && !($2 in done) { print $2 }' \
    T=1 "$OWN/deleted" T=2 "$OWN/manifest" >"$WORK/paths"
  while IFS= read -r path; do
    saved=$(awk -F'\t' -v path="$path" '$2 == path { print $1 }' "$OWN/originals")
    if [ -n "$saved" ] && lexists "$OWN/original/$saved"; then
      if restore_file "$OWN/original/$saved" "$path" 2>"$WORK/output"; then row did "gave back $path"; else left "$path"; fi
    elif take_away "$path" 2>"$WORK/output"; then
      row did "removed $path"
    else
      left "$path"
    fi
    printf '%s\n' "$path" >>"$OWN/deleted"
    note_folder "$path"
  done <"$WORK/paths"
  sync_folders
  if grep -q -E '/(systemd/(system|user)|containers/systemd)/' "$WORK/paths"; then $SYSTEMCTL daemon-reload || :; fi
}

# left PATH: it leads through what a user has changed; nothing of the release is behind it any more.
left() { row note "$1 was left as it is: $(tail -n 1 -- "$WORK/output" | one_line)"; }

# Directories that were made for this release, deepest first; those with content stay (that is where data lives).
remove_directories() {
  touch -- "$OWN/made"
  sort -ru -- "$OWN/made" >"$WORK/made"
  while IFS= read -r path; do
    if [ -d "$path" ] && remove_empty "$path"; then row did "removed empty $path"; fi
  done <"$WORK/made"
}

remove_all() {
  all_manifests >"$WORK/manifests"
  remove_units
  remove_files
  remove_directories
  row removed "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$OPERATOR" "$URN" >"$OWN/removed"
}

# The manifest first: without one, nothing of the release is left on the host, and the files are no longer looked at. The meta last:
# as long as it is there, a delete that was cut off can be run again.
remove_records() {
  sync -f -- "$OWN"
  rm -f -- "$OWN/manifest"
  sync -- "$OWN"
  # What the next release of this name must know about directories that had content stays in `made`.
  rm -rf -- "$OWN/request" "$OWN/original" "$OWN/originals" "$OWN/generations" "$OWN/deleted"
  rm -f -- "$OWN/meta"
  sync -- "$OWN"
  remove_recovery
}

main() {
  write_owner
  trap 'rm -f -- "$STATE/owner"' EXIT
  mkdir -p -- "$WORK"
  recover_interrupted || refuse journal "$RECOVER_TEXT"
  held=$(value "$OWN/meta" instance)
  if [ -z "$held" ] || [ "$held" != "$INSTANCE" ]; then
    row note "release $RELEASE on this host is not the one to delete (instance ${held:-none}); nothing was done"
    row end ok
    return 0
  fi
  if [ -f "$OWN/manifest" ]; then remove_all; fi
  remove_records
  row end ok
}

read_meta
require_host
if [ "${2-}" = locked ]; then main; else run_locked "$DIR/delete.sh"; fi
