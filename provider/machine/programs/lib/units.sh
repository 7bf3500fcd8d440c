# systemd units: who must restart, in which order, and how to get back.
# shellcheck shell=sh

# unit_fact NAME COLUMN: from a fresh scan of one unit (2 enabled, 3 active, 4 sub, 5 restarts, 6 load, 7 type, 8 result).
unit_fact() {
  printf '%s\n' "$1" >"$WORK/one-unit"
  scan_units "$WORK/one-unit" "$WORK/one-unit.scan"
  cut -f "$2" -- "$WORK/one-unit.scan"
}

# Keeps what every unit of this and the last request is like, for the way back. A unit that somebody stopped or switched off
# by hand counts as what the last apply made it: the way back leads to that generation, whose health is then proved.
keep_units() {
  { cut -f 1 -- "$(table units)" && if [ -f "$OWN/manifest" ]; then awk -F'\t' '$1 == "unit" { print $2 }' "$OWN/manifest"; fi; } |
    sort -u >"$WORK/list.all-units"
  scan_units "$WORK/list.all-units" "$WORK/all-units"
  awk -F'\t' -v OFS='\t' '
    T == 1 { if ($1 == "unit") { on[$2] = $3; state[$2] = $4 } next }
    on[$1] == 1 && $2 == "disabled" { $2 = "enabled" }
    state[$1] == "running" { $3 = "active" }
    { print }
  ' T=1 "$recorded" T=2 "$WORK/all-units" >"$DIR/undo/units"
}

# What the units were not yet started with, by the record of the last apply: revisions, and additions of an apply that failed later.
unstarted() {
  awk -F'\t' '
    T == "record" { recorded[$1, $2] = $1 ~ /secret$/ ? "" : $3; next }
    T == "have" { version[$1] = $2; next }
    T == "revisions" { if (!(("revision", $1) in recorded) || recorded["revision", $1] != $2) print "revision:" $1 }
    T == "packages" { if (!(("package", $1) in recorded) || $2 != "any" && recorded["package", $1] != version[$1]) print "package:" $1 }
    T == "secrets" { if (!(("secret", $2) in recorded)) print $2 }
    T == "images" { if (!(("image", $1) in recorded)) print "image:" $1 }
    T == "container-secrets" { if (!(("container-secret", $2) in recorded)) print "container-secret:" $2 }
  ' T=record "$recorded" T=have "$WORK/packages" T=revisions "$(table revisions)" T=packages "$(table packages)" \
    T=secrets "$(table secrets)" T=images "$(table images)" T=container-secrets "$(table container-secrets)"
  while IFS=$TAB read -r index path python site; do
    digest=$(awk -F'\t' -v path="$path" '$1 == "environment" && $2 == path { print $3 }' "$recorded")
    [ "$digest" = "$(environment_digest "$index" "$python" "$site")" ] || printf 'environment:%s\n' "$path"
  done <"$(table environments)"
}

# trigger_of UNIT: restart, reload or nothing, from what changed so far. The plan says the same by `triggerOf`
# (provider/machine/release/plan.ts); one table of cases tests both.
trigger_of() {
  awk -F'\t' -v unit="$1" '
    # The unit that Podman makes of a Quadlet file.
    function generated(file) {
      if (file ~ /\.(volume|network)$/) sub(/\./, "-", file)
      sub(/\.container$/, "", file)
      return file ".service"
    }
    BEGIN { base = unit; template = unit; sub(/@.*\./, "@.", template) }
    T == 1 {
      seen[$0] = 1
      if ($0 ~ /^package:/) packages = 1
      n = split($0, part, "/"); last = part[n]; folder = part[n - 1]
      if ($0 ~ /\/systemd\/(system|user)\// && (last == base || last == template || folder == base ".d" || folder == template ".d")) restart = 1
      if ($0 ~ /\/containers\/systemd\// && generated(last) == base) restart = 1
      next
    }
    $1 == unit && $2 != "along" && ($3 in seen) { if ($2 == "restart") restart = 1; else reload = 1 }
    END { if (restart || packages) print "restart"; else if (reload) print "reload" }
  ' T=1 "$DIR/changed" T=2 "$(table triggers)"
}

# after_tasks UNIT: does it wait for a task of this release?
after_tasks() { awk -F'\t' -v unit="$1" '$1 == unit && $3 ~ /^task:/ { found = 1 } END { exit !found }' "$(table triggers)"; }

# Units that the last apply managed and this one does not name: stopped and off, before their files go (unless another release has them).
drop_units() {
  [ -f "$OWN/manifest" ] || return 0
  all_manifests >"$WORK/manifests"
  awk -F'\t' -v OFS='\t' '
    T == 1 { wanted[$1] = 1; next }
    T == 2 { if ($1 == "unit") users[$2]++; next }
    $1 == "unit" && ($3 == 1 || $4 == "running") && !($2 in wanted) && users[$2] < 2 { print $2 }
  ' T=1 "$(table units)" T=2 "$WORK/manifests" T=3 "$OWN/manifest" >"$WORK/dropped"
  while IFS= read -r name; do
    touch_unit "$name"
    stop_triggered "$name"
    unit_do stop "$name"
    if [ "$(unit_fact "$name" 2)" = enabled ]; then unit_do disable "$name"; fi
    $SYSTEMCTL reset-failed -- "$name" 2>/dev/null || :
    row did "stopped $name"
  done <"$WORK/dropped"
}

# touch_unit NAME [reload]: written down before it is done, so that a power cut cannot hide it.
touch_unit() {
  row "$1" "${2:-restart}" >>"$DIR/undo/touched"
  sync -- "$DIR/undo/touched"
}

unit_do() {
  # shellcheck disable=SC2086 # Two words in a user's scope.
  run "$DIR/output" $SYSTEMCTL "$1" -- "$2" || unit_failed "$SYSTEMCTL $1 $2 failed" "$2"
}

# Waits until what was said is in the journal; only root may ask for that, for a user it is there a moment later.
sync_journal() { journalctl --sync 2>/dev/null || sleep 0.3; }

# unit_failed TEXT UNIT: fails with the unit's own last words.
unit_failed() {
  sync_journal
  $JOURNALCTL -u "$2" -n 20 --no-pager -o cat >"$WORK/journal" 2>/dev/null || :
  cat -- "$DIR/output" "$WORK/journal" >"$WORK/words"
  fail "$1" "$WORK/words"
}

# settle_units before|after: brings the units that do not (before) or do (after) wait for tasks into their wanted state.
settle_units() {
  while IFS=$TAB read -r name wants_enabled wants_state; do
    if after_tasks "$name"; then phase=after; else phase=before; fi
    [ "$phase" = "$1" ] || continue
    settle_unit "$name" "$wants_enabled" "$wants_state"
  done <"$(table units)"
}

settle_unit() {
  trigger=$(trigger_of "$1")
  enabled=$(unit_fact "$1" 2)
  active=$(unit_fact "$1" 3)
  if [ "$2" = 1 ]; then
    case $enabled in
      enabled | enabled-runtime | static | alias | generated | indirect | linked | transient) ;;
      *) unit_change enable "$1" enabled ;;
    esac
  elif [ "$enabled" = enabled ]; then
    unit_change disable "$1" disabled
  fi
  case $3 in
    stopped) if is_up "$active"; then unit_change stop "$1" stopped; fi ;;
    running) settle_running "$1" "$trigger" "$active" ;;
  esac
}

unit_change() {
  begin 10 units "$1 $2"
  touch_unit "$2"
  unit_do "$1" "$2"
  row did "$3 $2"
}

settle_running() {
  if ! is_up "$3"; then
    if [ "$(unit_fact "$1" 7)" = oneshot ] && [ -z "$2" ] && [ "$(unit_fact "$1" 8)" = success ] && [ -f "$OWN/manifest" ]; then return 0; fi
    begin 10 units "starting $1"
    touch_unit "$1"
    uptime_now
    row "$NOW" >>"$WORK/started"
    $SYSTEMCTL reset-failed -- "$1" 2>/dev/null || :
    unit_do start "$1"
    row did "started $1"
  elif [ "$2" = restart ]; then
    begin 10 units "restarting $1"
    touch_unit "$1"
    uptime_now
    row "$1" "$NOW" >>"$WORK/restarted"
    row "$NOW" >>"$WORK/started"
    note_along "$1"
    restart_along "$1" "$DIR/output" || unit_failed "$SYSTEMCTL restart $1 failed" "$(first_failed "$1")"
  elif [ "$2" = reload ]; then
    begin 10 units "reloading $1"
    touch_unit "$1" reload
    unit_do reload "$1"
    row did "reloaded $1"
  fi
}

# note_along UNIT: writes down which units have to restart together with it. Only those that run, and that one of Hearth's releases
# manages: a unit of the same name that somebody else made is not ours to restart.
note_along() {
  awk -F'\t' -v unit="$1" '$1 == unit && $2 == "along" { print $3 }' "$(table triggers)" >"$WORK/along"
  while IFS= read -r other; do
    is_up "$(unit_fact "$other" 3)" || continue
    cat -- "$STATE"/releases/*/manifest 2>/dev/null | awk -F'\t' -v unit="$other" '$1 == "unit" && $2 == unit { found = 1 } END { exit !found }' || continue
    row "$other" "$NOW" >>"$WORK/restarted"
    row "$1" "$other" >>"$DIR/undo/along"
  done <"$WORK/along"
}

# restart_along UNIT OUTPUT: in one go with the units that note_along found, so that systemd stops those that come after it
# before it, and starts them after it.
restart_along() {
  set -- "$2" "$1"
  if [ -f "$DIR/undo/along" ]; then
    awk -F'\t' -v unit="$2" '$1 == unit { print $2 }' "$DIR/undo/along" | sort -u >"$WORK/along"
    while IFS= read -r other; do set -- "$@" "$other"; done <"$WORK/along"
  fi
  restart_output=$1
  shift
  $SYSTEMCTL reset-failed -- "$@" 2>/dev/null || :
  # shellcheck disable=SC2086 # Two words in a user's scope.
  run "$restart_output" $SYSTEMCTL restart -- "$@"
}

# first_failed UNIT: it, or the unit along with it that does not run now.
first_failed() {
  if is_up "$(unit_fact "$1" 3)" && [ -f "$DIR/undo/along" ]; then
    while IFS=$TAB read -r unit other; do
      if [ "$unit" = "$1" ] && [ "$(unit_fact "$other" 3)" != active ]; then
        printf '%s\n' "$other"
        return 0
      fi
    done <"$DIR/undo/along"
  fi
  printf '%s\n' "$1"
}

# The way back to what $DIR/undo/units says has two parts, because a unit can only be disabled while its file is there.
# stop_new_units ALL: what was not on before goes off. ALL (after a reboot): not only the units that were touched.
# At boot nothing may be waited for: the units are ordered after this very program.
stop_new_units() {
  : >"$WORK/restore"
  [ -f "$DIR/undo/units" ] || return 0
  touch -- "$DIR/undo/touched"
  awk -F'\t' -v OFS='\t' -v all="$1" '
    T == 1 { if (deed[$1] != "restart") deed[$1] = $2; next }
    all || ($1 in deed) { print $1, $2, $3, all ? "restart" : deed[$1] }
  ' T=1 "$DIR/undo/touched" T=2 "$DIR/undo/units" >"$WORK/restore"
  while IFS=$TAB read -r name enabled active _; do
    case $enabled in disabled | -) $SYSTEMCTL disable -- "$name" ;; esac
    is_up "$active" || $SYSTEMCTL ${AT_BOOT:+--no-block} stop -- "$name"
  done <"$WORK/restore" >/dev/null 2>&1
}

# restore_units: with the previous files back, what was on comes back on.
restore_units() {
  while IFS=$TAB read -r name enabled active deed; do
    if [ "$enabled" = enabled ]; then $SYSTEMCTL enable -- "$name"; fi
    $SYSTEMCTL reset-failed -- "$name"
    if ! is_up "$active"; then
      continue
    elif [ -n "${AT_BOOT-}" ]; then
      # Whatever comes along starts by itself then.
      $SYSTEMCTL --no-block "$deed" -- "$name"
    elif [ "$deed" = restart ]; then
      restart_along "$name" "$WORK/restore.output" || :
    else
      $SYSTEMCTL "$deed" -- "$name"
    fi
  done <"$WORK/restore" >/dev/null 2>&1
}
