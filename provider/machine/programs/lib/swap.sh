# Putting the staged files in place, and putting the previous ones back. Every file moves by rename: readers see the old or the new one.
# shellcheck shell=sh

# lexists PATH: is there anything, a dangling link too?
lexists() { [ -e "$1" ] || [ -L "$1" ]; }

# is_same ONE OTHER: two names of one file, or of one link (which mv would not rename over each other).
is_same() { lexists "$2" && [ "$(stat -c %d:%i -- "$1")" = "$(stat -c %d:%i -- "$2")" ]; }

# link_or_copy SOURCE TARGET: a hard link needs no space; another file system needs a copy.
link_or_copy() { cp -al -- "$1" "$2" 2>/dev/null || cp -a --remove-destination -- "$1" "$2"; }

# Keeps the previous generation of everything in the plan: $DIR/undo/files (copy or absent, number, path) and the copies.
keep_files() {
  mkdir -p -m 0700 -- "$DIR/undo/copy"
  kept=0
  : >"$WORK/kept"
  while IFS=$TAB read -r _ _ path; do
    kept=$((kept + 1))
    if lexists "$path"; then
      keep_copy "$path" "$DIR/undo/copy/$kept" 2>"$DIR/output" || fail "the present $path could not be kept" "$DIR/output"
      row copy "$kept" "$path" >>"$WORK/kept"
    else
      row absent "$kept" "$path" >>"$WORK/kept"
    fi
  done <"$DIR/plan"
  write_state "$DIR/undo/files" <"$WORK/kept"
}

# Keeps mode and owner of the directories that will be fixed.
keep_directories() {
  awk -F'\t' -v OFS='\t' 'T == 1 { if ($2 == "d") have[$1] = $3 OFS $4 OFS $5; next } ($1 in have) && have[$1] != $2 OFS $3 OFS $4 { print $1, have[$1] > before; print }' \
    before="$DIR/undo/directories" T=1 "$WORK/scan" T=2 "$(table directories)" >"$WORK/repair"
}

swap() {
  while IFS=$TAB read -r path mode owner group; do repair_access "$path" "$mode" "$owner" "$group"; done <"$WORK/repair"
  swap_lay_aside
  : >"$WORK/swapped"
  while IFS=$TAB read -r verb _ path; do
    if [ "$verb" = remove ]; then
      take_away "$path" 2>"$DIR/output" || fail "$path could not be removed" "$DIR/output"
      row did "removed $path"
    else
      move_in "$path" 2>"$DIR/output" || fail "$path could not be replaced" "$DIR/output"
      row did "wrote $path"
    fi
    note_folder "$path"
  done <"$DIR/plan"
  sync_folders
  if plan_touches_units "$DIR/plan" 3; then
    # shellcheck disable=SC2086 # Two words in a user's scope.
    run "$DIR/output" $SYSTEMCTL daemon-reload || fail "systemd could not read the unit files" "$DIR/output"
  fi
}

# All new files are written (and on the disk) next to their places before the first rename, so a full disk stops us here.
swap_lay_aside() {
  : >"$WORK/aside"
  while IFS=$TAB read -r verb staged path; do
    [ "$verb" != remove ] || continue
    lay_aside "$(plan_source "$verb" "$staged")" "$path" 2>"$DIR/output" || fail "$path could not be written" "$DIR/output"
    # What is a user's own is on the disk already.
    if [ "$GUARD" = - ] && [ ! -L "$lay_new" ]; then printf '%s\n' "$lay_new" >>"$WORK/aside"; fi
  done <"$DIR/plan"
  run "$DIR/output" xargs -r -d '\n' -a "$WORK/aside" sync -- || fail "the new files could not be written to the disk" "$DIR/output"
}

# note_folder PATH: something was renamed or removed there, just now. Only where no user could put something else in its place.
note_folder() { if [ "$GUARD" = - ]; then printf '%s\n' "${1%/*}" >>"$WORK/swapped"; fi; }

# sync_folders: what was renamed and removed in those noted down is so on the disk, too.
sync_folders() { sort -u -- "$WORK/swapped" | xargs -r -d '\n' sync -- 2>/dev/null || :; }

# Everything as $DIR/undo says it was; 1 when something could not be put back. May run any number of times, from any point.
# Directories first: whose a file may be depends on whose they are.
restore_files() {
  [ -f "$DIR/undo/files" ] || return 0
  restored=0
  if [ -f "$DIR/undo/directories" ]; then
    while IFS=$TAB read -r path mode owner group; do set_access "$path" "$mode" "$owner" "$group" || restored=1; done <"$DIR/undo/directories"
  fi
  : >"$WORK/swapped"
  while IFS=$TAB read -r kind number path; do
    take_away "$(aside "$path")" || restored=1
    if [ "$kind" = absent ]; then take_away "$path"; else restore_file "$DIR/undo/copy/$number" "$path"; fi || restored=1
    note_folder "$path"
  done <"$DIR/undo/files"
  sync_folders
  return "$restored"
}

# move_in PATH: what was laid aside takes its place.
move_in() {
  guard "$1" || guard_says || return 1
  if [ "$GUARD" != - ]; then
    as_guard mv -fT -- "$(aside "$1")" "$1" </dev/null
    return
  fi
  mv -fT -- "$(aside "$1")" "$1"
}

# restore_file COPY PATH. What is at PATH never goes before the copy is known to be there.
restore_file() {
  if ! lexists "$1"; then
    printf 'the copy of %s is gone\n' "$2" >&2
    return 1
  fi
  if is_same "$1" "$2"; then return 0; fi
  # On a full disk the failed file makes room for the one that worked.
  lay_aside "$1" "$2" 2>/dev/null || { take_away "$(aside "$2")" && take_away "$2" && lay_aside "$1" "$2"; } || return 1
  move_in "$2"
}

restore_environments() {
  # What a build that was cut off left.
  while IFS=$TAB read -r _ path _; do rm -rf -- "$path.hearth-build"; done <"$(table environments)"
  [ -f "$DIR/undo/environments" ] || return 0
  while IFS= read -r path; do
    [ -d "$path.hearth-$APPLY" ] || continue
    rm -rf -- "$path"
    mv -T -- "$path.hearth-$APPLY" "$path"
  done <"$DIR/undo/environments"
}
