# What can be known to be impossible before anything is touched.
# shellcheck shell=sh

check_identity() {
  while IFS=$TAB read -r key wanted; do
    held=$(value "$STATE/identity" "$key")
    if [ -n "$held" ] && [ "$held" != "$wanted" ]; then
      refuse_apply identity "this host was set up with $key '$held' and the request says '$wanted'; it cannot be changed: use '$held', or a fresh host"
    fi
  done <"$(table identity)"
}

ELSEWHERE_TEXT="there is no such release here, though the stack has made one: this is another machine, or another login user, than before. Continuing would create a second, empty server: correct address and user of the host"

# A release belongs to one resource. Same instance, other URN: it was renamed. Same URN, other instance: its state was lost.
# A state that knows an instance was written for a host that held it: without one this is another machine, or another user's home.
check_owner() {
  if [ ! -f "$OWN/meta" ]; then
    [ "$INSTANCE" = - ] || refuse_apply elsewhere "$ELSEWHERE_TEXT"
    return 0
  fi
  held_urn=$(value "$OWN/meta" urn)
  if [ "$held_urn" != "$URN" ] && [ "$(value "$OWN/meta" instance)" != "$INSTANCE" ]; then
    refuse_apply owner "release $RELEASE on this host belongs to $held_urn, not to $URN; if it was renamed, give the new resource an alias with the old name"
  fi
}

check_conflicts() {
  list_owned >"$WORK/owned"
  conflict=$(awk -F'\t' -v own="$RELEASE" '
    T == "owned" { if ($1 != own) other[$2] = $1; next }
    $2 in other { print $2 " belongs to release " other[$2]; exit }
  ' T=owned "$WORK/owned" T=files "$(table files)" T=secrets "$(table secrets)")
  [ -z "$conflict" ] || refuse_apply conflict "$conflict on this host"
  blocked=$(blocked_paths | head -n 1)
  [ -z "$blocked" ] || refuse_apply conflict "$blocked"
}

# Paths of the request at which something of another kind lies, and what to do about it.
blocked_paths() {
  awk -F'\t' '
    T == "scan" { type[$1] = $2; next }
    { path = T == "directories" ? $1 : $2 }
    T == "directories" { if (path in type && type[path] != "d") print path " is wanted as a directory but is a file or link"; next }
    type[path] == "d" { print path " is a directory; remove it by hand first" }
  ' T=scan "$WORK/scan" T=files "$(table files)" T=secrets "$(table secrets)" T=directories "$(table directories)"
}

# Refuses a path that leads through what a user could have changed, and what would be somebody else's in a user's directory.
check_guards() {
  unsafe=$(awk -F'\t' '
    T == "refused" { print $2; exit }
    T == "guarded" { user[$1] = $2; next }
    T == "files" || T == "secrets" { owner = $4; path = $2 }
    T == "directories" { owner = $3; path = $1 }
    (path in user) && user[path] != "-" && owner != user[path] {
      print path " is to be " owner "\047s, but it lies in a directory that " user[path] " can change: give it to " user[path] ", or put it into a directory of root\047s"
      exit
    }
  ' T=refused "$WORK/scan.refused" T=guarded "$WORK/scan.guarded" T=files "$(table files)" T=secrets "$(table secrets)" T=directories "$(table directories)")
  [ -z "$unsafe" ] || refuse_apply unsafe "$unsafe"
  while IFS=$TAB read -r _ path _; do
    guard "$path" || refuse_apply unsafe "$GUARD_TEXT"
    [ "$GUARD" = - ] || refuse_apply unsafe "environment $path lies in a directory that $GUARD can change, and root runs its programs: put it into a directory of root's"
  done <"$(table environments)"
}

check_obstacles() {
  report_obstacles >"$WORK/obstacles"
  [ -s "$WORK/obstacles" ] || return 0
  cat -- "$WORK/obstacles"
  refuse_apply occupied "what Hearth did not make is in the way"
}

# existing_parent PATH: the nearest directory above PATH that exists.
existing_parent() {
  set -- "${1%/*}"
  while [ -n "$1" ] && [ ! -d "$1" ]; do set -- "${1%/*}"; done
  printf '%s\n' "${1:-/}"
}

# Room for the new content on every file system it goes to (1 MiB to spare) and for staging (16 MiB to spare).
check_space() {
  content_bytes=$(find "$REQUEST" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d", sum }')
  require_space "$STATE" $((content_bytes + 16777216))
  cut -f 2 -- "$(table files)" | while IFS= read -r path; do existing_parent "$path"; done | sort -u >"$WORK/parents"
  while IFS= read -r parent; do require_space "$parent" $((content_bytes + 1048576)); done <"$WORK/parents"
}

require_space() {
  available=$(df --output=avail -B1 -- "$1" | tail -n 1)
  available=$((available))
  [ "$available" -ge "$2" ] ||
    refuse_apply space "$(($2 / 1048576 + 1)) MiB are needed on the file system of $1, $((available / 1048576)) MiB are free"
}
