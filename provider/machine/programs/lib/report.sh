# The rows of an observe answer (some of them are part of an apply answer too).
# shellcheck shell=sh

. "$DIR/lib/fills.sh"
. "$DIR/lib/publish.sh"

# probe_patiently INDEX KIND URL STATUS: as probe. A loaded host may be late once, which must not restart anything: what fails is asked
# again, with more time, before it counts. What was never applied here is not expected to answer.
probe_patiently() {
  probed=$(probe "$1" "$2" "$3" "$4" 2)
  if [ -f "$OWN/meta" ]; then
    for patience in 4 8; do
      if [ "$probed" = ok ]; then break; fi
      sleep 0.5
      probed=$(probe "$1" "$2" "$3" "$4" "$patience")
    done
  fi
  printf '%s\n' "$probed"
}

# Everything that only waits runs at the same time as the rest: tasks, published facts and health probes. Their words land in
# $WORK/task.N, $WORK/publish.N and $WORK/health.N.
start_probes() {
  while IFS=$TAB read -r index _ user _; do
    task_state "$index" "$user" >"$WORK/task.$index" 2>/dev/null &
  done <"$(table tasks)"
  while IFS=$TAB read -r index _ user; do
    published_fact "$index" "$user" >"$WORK/publish.$index" 2>/dev/null &
  done <"$(table publishes)"
  while IFS=$TAB read -r index _ kind _ url status; do
    probe_patiently "$index" "$kind" "$url" "$status" >"$WORK/health.$index" 2>/dev/null &
  done <"$(table health)"
}

# Scans all that the request or the last apply names, into $WORK/{scan,secrets,packages,units,images,container-secrets}.
scan_all() {
  recorded=$OWN/manifest
  [ -f "$recorded" ] || recorded=/dev/null
  awk -F'\t' -v work="$WORK" '
    function add(list, item) { if (!((list, item) in seen)) { seen[list, item] = 1; print item > (work "/list." list) } }
    BEGIN { for (i = split("paths hashed packages units", name, " "); i; i--) printf "" > (work "/list." name[i]) }
    T == "files" || T == "record" && $1 == "file" { add("paths", $2); add("hashed", $2) }
    T == "directories" { add("paths", $1) }
    T == "secrets" || T == "record" && ($1 == "directory" || $1 == "secret") { add("paths", $2) }
    T == "packages" { add("packages", $1) } T == "record" && $1 == "package" { add("packages", $2) }
    T == "units" { add("units", $1) } T == "record" && $1 == "unit" { add("units", $2) }
  ' T=files "$(table files)" T=directories "$(table directories)" T=secrets "$(table secrets)" \
    T=packages "$(table packages)" T=units "$(table units)" T=record "$recorded"
  scan_packages "$WORK/list.packages" "$WORK/packages" &
  scan_packages_pid=$!
  scan_units "$WORK/list.units" "$WORK/units" &
  scan_units_pid=$!
  scan_images "$WORK/images" &
  scan_images_pid=$!
  scan_container_secrets "$WORK/container-secrets" &
  scan_container_secrets_pid=$!
  scan_paths "$WORK/list.paths" "$WORK/list.hashed" "$WORK/scan"
  follow_directories "$(table directories)" "$WORK/scan"
  scan_secrets "$WORK/scan" "$WORK/secrets"
  resolve_filled "$WORK/scan"
  wait "$scan_packages_pid"
  wait "$scan_units_pid"
  wait "$scan_images_pid"
  wait "$scan_container_secrets_pid"
}

# `lock` when another transaction runs. A shared, immediate try: a lock file without a holder is not a lock.
report_lock() {
  LOCKED=
  # Looked at before and after the lock: a transaction may begin or end just now.
  cp -p -- "$STATE/journal" "$WORK/journal" 2>/dev/null || :
  [ -f "$STATE/lock" ] || return 0
  if flock -s -n -E 75 "$STATE/lock" true; then return 0; fi
  LOCKED=1
  cp -p -- "$STATE/owner" "$WORK/holder" 2>/dev/null || return 0
  row lock "$(value "$WORK/holder" operator)" "$(age "$(value "$WORK/holder" uptime)" "$(value "$WORK/holder" boot)" "$WORK/holder")"
}

# `journal` when an apply was cut off and not yet undone.
report_journal() {
  if [ -n "$LOCKED" ] || [ ! -f "$WORK/journal" ] || ! cmp -s -- "$WORK/journal" "$STATE/journal"; then return 0; fi
  row journal "$(value "$WORK/journal" state)" "$(value "$WORK/journal" apply)" \
    "$(age "$(value "$WORK/journal" uptime)" "$(value "$WORK/journal" boot)" "$WORK/journal")" "$(value "$WORK/journal" release)"
}

report_release() {
  if [ -f "$OWN/meta" ]; then
    row release "$(value "$OWN/meta" instance)" "$(value "$OWN/meta" generation)" "$(value "$OWN/meta" urn)"
  else
    row release -
  fi
  if [ -f "$STATE/identity" ]; then
    while IFS=$TAB read -r key text; do row identity "$key" "$text"; done <"$STATE/identity"
  fi
}

# Rows for everything the request names, from the scan.
report_scan() {
  awk -F'\t' -v OFS='\t' -v differ="$WORK/differ" '
    BEGIN { printf "" > differ }
    T == "filled" { filled[$0] = 1; next }
    T == "scan" { type[$1] = $2; mode[$1] = $3; owner[$1] = $4; group[$1] = $5; size[$1] = $6; sum[$1] = $7; next }
    T == "packages" { version[$1] = $2; next }
    T == "units" { enabled[$1] = $2; active[$1] = $3; sub_[$1] = $4; next }
    T == "known" { print_[$1] = $0; next }
    T == "record" { if ($1 == "revision") revision[$2] = $3; next }
    T == "passwd" { home[$1] = $6; next }
    T == "group" { n = split($4, member, ","); for (i = 1; i <= n; i++) groups[member[i]] = groups[member[i]] (groups[member[i]] == "" ? "" : ",") $1; next }
    T == "want-directories" { if (type[$1] == "d") print "directory", $1, mode[$1], owner[$1], group[$1]; else print "directory", $1, "-" }
    T == "want-files" {
      if (type[$2] != "f") print "file", $2, "-"
      else if (sum[$2] != $6 && size[$2] < 1048576 && !($2 in filled)) print "file", $2, mode[$2], owner[$2], group[$2], sum[$2] > differ
      else print "file", $2, mode[$2], owner[$2], group[$2], sum[$2]
    }
    T == "want-secrets" { if ($2 in print_) print "secret", print_[$2]; else print "secret", $2, "-" }
    T == "images" { print "image", $1, $2 }
    T == "container-secrets" { mark[$1] = $2; next }
    T == "want-container-secrets" { print "container-secret", $2, ($2 in mark) ? mark[$2] : "-" }
    T == "want-packages" { print "package", $1, version[$1] }
    T == "want-units" { print "unit", $1, enabled[$1], active[$1], sub_[$1] }
    T == "want-users" { if ($1 in home) print "user", $1, home[$1], groups[$1] == "" ? "-" : groups[$1]; else print "user", $1, "-" }
    T == "want-revisions" { print "revision", $1, ($1 in revision) ? revision[$1] : "-" }
  ' T=filled "$WORK/scan.filled" T=scan "$WORK/scan" T=packages "$WORK/packages" T=units "$WORK/units" T=known "$WORK/secrets" T=record "$recorded" \
    FS=: T=passwd /etc/passwd T=group /etc/group FS='\t' T=want-directories "$(table directories)" T=want-files "$(table files)" \
    T=want-secrets "$(table secrets)" T=want-packages "$(table packages)" T=want-units "$(table units)" \
    T=want-users "$(table users)" T=want-revisions "$(table revisions)" T=images "$WORK/images" \
    T=container-secrets "$WORK/container-secrets" T=want-container-secrets "$(table container-secrets)"
  while IFS=$TAB read -r _ path mode owner group sum; do
    guard "$path" || continue
    row file "$path" "$mode" "$owner" "$group" "$sum" "$(print_file "$path" | head -c 1048576 | base64 -w 0)"
  done <"$WORK/differ"
  while IFS=$TAB read -r name uris suites components _; do
    row repository "$name" "$(pm_repository_state "$name" "$uris" "$suites" "$components")"
  done <"$(table repositories)"
  while IFS=$TAB read -r index path python site; do
    row environment "$path" "$(environment_state "$index" "$path" "$python" "$site")"
  done <"$(table environments)"
}

# `conflict` and `foreign`: whose is what lies at the request's paths?
report_conflicts() {
  list_owned >"$WORK/owned"
  awk -F'\t' -v OFS='\t' -v own="$RELEASE" '
    T == "owned" { if ($1 == own) mine[$2] = 1; else other[$2] = $1; next }
    T == "scan" { there[$1] = 1; next }
    T == "secrets" { if ($2 in other) print "conflict", $2, other[$2]; next }
    $2 in other { print "conflict", $2, other[$2]; next }
    $2 in there && !($2 in mine) { print "foreign", $2 }
  ' T=owned "$WORK/owned" T=scan "$WORK/scan" T=files "$(table files)" T=secrets "$(table secrets)"
}

# `blocked`, `pending`, `original`: what an apply of this request would be refused for, what it would restart units for besides what
# it changes, and what it would give back. An apply uses the same functions and records.
report_plan() {
  blocked_paths | while IFS= read -r text; do row blocked "$text"; done
  unstarted | while IFS= read -r subject; do row pending "$subject"; done
  [ -f "$OWN/originals" ] || return 0
  while IFS=$TAB read -r saved path; do
    [ -e "$OWN/original/$saved" ] || continue
    if grep -q -x -F -e "$path" "$WORK/scan.filled"; then
      row original "$path" -
    elif [ -f "$OWN/original/$saved" ] && [ ! -L "$OWN/original/$saved" ] && [ "$(stat -c %s -- "$OWN/original/$saved")" -lt 1048576 ]; then
      row original "$path" "$(base64 -w 0 -- "$OWN/original/$saved")"
    else
      row original "$path" -
    fi
  done <"$OWN/originals"
}

# `changed`: what is not as the last apply left it.
report_changed() {
  [ "$recorded" != /dev/null ] || return 0
  awk -F'\t' -v OFS='\t' '
    T == "scan" { type[$1] = $2; access[$1] = $3 OFS $4 OFS $5; sum[$1] = $7; next }
    T == "packages" { version[$1] = $2; next }
    T == "units" { enabled[$1] = $2; active[$1] = $3; next }
    T == "known" { print_[$1] = $5; next }
    T == "images" { image[$1] = $2; next }
    T == "container-secrets" { mark[$1] = $2; next }
    T == "want-container-secrets" { wanted[$2] = 1; next }
    function changed() { print "changed", $2 }
    function salt(text) { sub(/:[^:]*$/, "", text); return text }
    $1 == "file" { if (type[$2] != "f" || access[$2] != $3 OFS $4 OFS $5 || sum[$2] != $6) changed() }
    $1 == "directory" { if (type[$2] != "d" || access[$2] != $3 OFS $4 OFS $5) changed() }
    $1 == "secret" {
      if (type[$2] != "f" || access[$2] != $3 OFS $4 OFS $5) changed()
      else if (($2 in print_) && salt(print_[$2]) == salt($6) && print_[$2] != $6) changed()
    }
    $1 == "image" { if (image[$2] == "absent") changed() }
    $1 == "container-secret" && ($2 in wanted) {
      if (!($2 in mark) || salt(mark[$2]) == salt($3) && mark[$2] != $3) changed()
    }
    $1 == "package" { if (version[$2] == "-" || $4 != "any" && version[$2] != $3) changed() }
    $1 == "unit" {
      on = enabled[$2] ~ /^(enabled|enabled-runtime|static|alias|generated|indirect|linked|transient)$/
      if ($3 == 1 && !on || $3 == 0 && enabled[$2] == "enabled") changed()
      else if ($4 == "running" && active[$2] !~ /^(active|activating|reloading)$/ && $5 != "oneshot") changed()
      else if ($4 == "stopped" && active[$2] ~ /^(active|activating|reloading)$/) changed()
    }
  ' T=scan "$WORK/scan" T=packages "$WORK/packages" T=units "$WORK/units" T=known "$WORK/secrets" T=images "$WORK/images" \
    T=container-secrets "$WORK/container-secrets" T=want-container-secrets "$(table container-secrets)" T=record "$recorded"
  while IFS=$TAB read -r kind path digest _; do
    [ "$kind" = environment ] || continue
    if [ "$(cat -- "$path/.hearth-ready" 2>/dev/null || :)" != "$digest" ] || ! environment_whole "$path"; then row changed "$path"; fi
  done <"$recorded"
}

report_probes() {
  wait
  while IFS=$TAB read -r index name _; do row task "$name" "$(cat "$WORK/task.$index")"; done <"$(table tasks)"
  while IFS=$TAB read -r index name _; do row published "$name" "$(cat "$WORK/publish.$index")"; done <"$(table publishes)"
  while IFS=$TAB read -r index name _; do row health "$name" "$(cat "$WORK/health.$index")"; done <"$(table health)"
}
