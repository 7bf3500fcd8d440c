# What serves on this host already and no release made. A release that would take it over or switch it off is refused.
# shellcheck shell=sh

# report_obstacles: `obstacle TEXT FIX` for each unit, port and whatever the release's preflights know of. Needs scan_all.
report_obstacles() {
  list_unrecorded >"$WORK/unrecorded"
  while IFS=$TAB read -r name adopted path sum; do unit_obstacle "$name" "$adopted" "$path" "$sum"; done <"$WORK/unrecorded"
  port_obstacles
  preflight_obstacles
}

# list_unrecorded: units of the request that no release of this scope has: name, whether one that runs may be taken over (0, 1), the
# file that the request brings for it (a package's unit has none: -) and its digest.
list_unrecorded() {
  cat -- "$STATE"/releases/*/manifest >"$WORK/manifests" 2>/dev/null || :
  awk -F'\t' -v OFS='\t' '
    # The unit that Podman makes of a Quadlet file.
    function generated(file) {
      if (file ~ /\.(volume|network)$/) sub(/\./, "-", file)
      sub(/\.container$/, "", file)
      return file ".service"
    }
    T == "records" { if ($1 == "unit") known[$2] = 1; next }
    T == "adopted" { adopted[$1] = 1; next }
    T == "files" {
      n = split($2, part, "/")
      if ($2 ~ /\/systemd\/(system|user)\/[^\/]*$/ && part[n - 2] == "systemd") brings[part[n]] = $2 OFS $6
      if ($2 ~ /\/containers\/systemd\/[^\/]*$/) brings[generated(part[n])] = $2 OFS $6
      next
    }
    $1 in known { next }
    {
      template = $1; sub(/@.*\./, "@.", template)
      print $1, ($1 in adopted) + 0, ($1 in brings) ? brings[$1] : (template in brings) ? brings[template] : "-" OFS "-"
    }
  ' T=records "$WORK/manifests" T=adopted "$(table adopted)" T=files "$(table files)" T=units "$(table units)"
}

# unit_obstacle NAME ADOPTED PATH SUM: a unit whose file the release brings must not be here already. One that it only uses, a
# package's, may be, unless it is in service; a release that takes it over nevertheless has preflights that know whose it is.
unit_obstacle() {
  $SYSTEMCTL show -p LoadState,UnitFileState,ActiveState,FragmentPath,SourcePath -- "$1" >"$WORK/shown" 2>/dev/null || return 0
  case $(shown LoadState) in not-found | masked | '') return 0 ;; esac
  source=$(shown SourcePath)
  [ -n "$source" ] || source=$(shown FragmentPath)
  [ -n "$source" ] || return 0
  package=$(pm_owner "$source")
  if [ "$3" = - ]; then
    [ "$2" = 0 ] || return 0
    if ! is_up "$(shown ActiveState)" && [ "$(shown UnitFileState)" != enabled ]; then return 0; fi
    # A first apply that failed leaves its packages.
    if [ -n "$package" ] && grep -q -s -x -F -e "$package" -- "$STATE/installed"; then return 0; fi
  elif [ -f "$3" ] && [ "$(sha256sum <"$3")" = "$4  -" ]; then
    # What Hearth wrote and has no record of any more.
    return 0
  fi
  remove="remove $source and run $SYSTEMCTL daemon-reload"
  if [ -n "$package" ]; then remove=$(pm_words_remove "$package"); fi
  row obstacle "$1 is on this host already, and no release of Hearth made it: $source${package:+ of package $package}, $(shown ActiveState)$(enabled_word)" \
    "if it is still needed, use another host, or move what it holds first (docs/decisions/what-serves-already-stays.md); then: $SYSTEMCTL disable --now $1; $remove"
}

# shown PROPERTY: of the unit that was looked at last.
shown() { sed -n "s/^$1=//p" "$WORK/shown"; }

enabled_word() { case $(shown UnitFileState) in enabled | enabled-runtime) printf ', enabled' ;; esac; }

# port_obstacles: ports of the request that somebody else listens on. Those that a running unit of this release has by its last
# apply are its own (a container's are held by helpers of Podman's).
port_obstacles() {
  [ -s "$(table ports)" ] || return 0
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null >"$WORK/sockets" || :
  held_ports >"$WORK/held"
  { cut -f 1 -- "$(table units)" && awk -F'\t' '$1 == "unit" { print $2 }' "$recorded"; } >"$WORK/own-units"
  while IFS=$TAB read -r port inode uid; do
    find_holder "$inode" "${port##*:}"
    if [ -n "$HOLDER_OURS" ]; then continue; fi
    fix="stop it for good, or leave it the port and use another host"
    if [ -z "$HOLDER" ]; then HOLDER="a program of user $(id -un -- "$uid" 2>/dev/null || printf '%s' "$uid")"; fi
    case $HOLDER_UNIT in *.service | *.socket) fix="if it is not needed any more: systemctl disable --now $HOLDER_UNIT; else leave it the port and use another host" ;; esac
    row obstacle "port $port is held by $HOLDER" "$fix"
  done <"$WORK/held" | awk -F'\t' '!seen[$2]++'
}

# held_ports: port as the request spells it, inode and uid of each listening socket that is in the way.
held_ports() {
  awk -F'\t' -v OFS='\t' '
    T == "record" { if ($1 == "port") { had[$2] = $3; told = 1 } if ($1 == "unit") recorded[$2] = 1; next }
    T == "units" { if ($3 ~ /^(active|activating|reloading)$/) up[$1] = 1; next }
    # Records of earlier versions name no ports.
    T == "ports" { if (!($4 in up && (had[$1] == $4 || !told && $4 in recorded))) wanted[$1] = $3; number[$1] = $2; next }
    {
      split($0, column, " ")
      if (column[4] != "0A") next
      address = column[2]; sub(/:.*/, "", address); sub(/.*:/, "", column[2])
      if (address ~ /^0000000000000000FFFF0000/) address = substr(address, 25)
      for (port in wanted) {
        if (number[port] != column[2]) continue
        if (wanted[port] == "-" || wanted[port] == address || address ~ /^0+$/ && length(address) >= length(wanted[port])) print port, column[10], column[8]
      }
    }
  ' T=record "$recorded" T=units "$WORK/units" T=ports "$(table ports)" T=sockets "$WORK/sockets"
}

# find_holder INODE PORT: HOLDER (its name, process and unit; empty: somebody else's, whom only root may know), HOLDER_UNIT, and
# HOLDER_OURS when it is a unit of this release.
find_holder() {
  HOLDER='' HOLDER_UNIT='' HOLDER_OURS=''
  holder_pid=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\\[$1\\]" -print -quit 2>/dev/null) || :
  holder_pid=${holder_pid#/proc/}
  holder_pid=${holder_pid%%/*}
  [ -n "$holder_pid" ] || return 0
  holder_name=$(cat "/proc/$holder_pid/comm" 2>/dev/null) || return 0
  sed 's/^[^:]*:[^:]*://' "/proc/$holder_pid/cgroup" 2>/dev/null | tr / '\n' | grep -E '\.(service|scope)$' >"$WORK/groups" || :
  if [ "$holder_name" = systemd ]; then
    # It listens for a service that has not been asked for yet, or hands its sockets on.
    $SYSTEMCTL list-sockets --all --no-legend --no-pager 2>/dev/null | awk -v port="$2" '$1 == port || $1 ~ ":" port "$" { print $2 }' >>"$WORK/groups"
  fi
  HOLDER_UNIT=$(tail -n 1 -- "$WORK/groups")
  if grep -q -x -F -f "$WORK/own-units" -- "$WORK/groups"; then HOLDER_OURS=1; fi
  HOLDER="$holder_name (pid $holder_pid${HOLDER_UNIT:+, $HOLDER_UNIT})"
}

# preflight_obstacles: what the release's own programs know. Each prints a line for each obstacle: text, tab, fix.
preflight_obstacles() {
  while IFS=$TAB read -r index name; do
    preflight_status=0
    xargs -d '\n' -a "$REQUEST/argv/preflight.$index" timeout 20 sh "$REQUEST/preflight/$index" >"$WORK/preflight" 2>"$WORK/preflight.stderr" </dev/null || preflight_status=$?
    [ "$preflight_status" != 0 ] || continue
    [ -s "$WORK/preflight" ] || row "the look at this host by $name failed: $(tail -n 1 -- "$WORK/preflight.stderr" | one_line)" - >"$WORK/preflight"
    while IFS=$TAB read -r text fix; do row obstacle "$text" "${fix:--}"; done <"$WORK/preflight"
  done <"$(table preflights)"
}
