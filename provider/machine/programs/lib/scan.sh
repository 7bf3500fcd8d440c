# Looking at the host: as few processes as possible, nothing changed.
# shellcheck shell=sh

. "$DIR/lib/pm.sh"

# guard_paths LIST OUT: paths where only we can put something in OUT.own; path and user (`-`: ours, in a directory like /tmp) in
# OUT.guarded; path and reason in OUT.refused.
guard_paths() {
  : >"$2.own" && : >"$2.guarded" && : >"$2.refused"
  guarded_above='' guarded_ok=
  sort -- "$1" >"$2.sorted"
  while IFS= read -r path; do
    # Paths of one directory share what leads to them.
    if [ "${path%/*}" != "$guarded_above" ]; then
      guarded_above=${path%/*} guarded_ok=1
      guard "$path" || guarded_ok=
    fi
    if [ -z "$guarded_ok" ]; then
      row "$path" "$GUARD_TEXT" >>"$2.refused"
    elif [ "$GUARD" = - ] && [ -z "$GUARD_SHARED" ]; then
      printf '%s\n' "$path" >>"$2.own"
    else
      row "$path" "$GUARD" >>"$2.guarded"
    fi
  done <"$2.sorted"
}

# sum_paths HASH SCAN: lines of sha256sum for the files among HASH; read with the rights of the user who could put another file there.
sum_paths() {
  awk -F'\t' 'T == 1 { file[$1] = $2 == "f"; next } T == 2 { own[$0] = 1; next } file[$0] && ($0 in own)' \
    T=1 "$2.found" T=2 "$2.own" T=3 "$1" | xargs -r -d '\n' sha256sum -- || :
  awk -F'\t' 'T == 1 { file[$1] = $2 == "f"; next } T == 2 { user[$1] = $2; next } file[$0] && ($0 in user) { print $0 FS user[$0] }' \
    T=1 "$2.found" T=2 "$2.guarded" T=3 "$1" >"$2.theirs"
  while IFS=$TAB read -r path GUARD; do
    sum=$(print_file "$path" | sha256sum)
    printf '%s  %s\n' "${sum%% *}" "$path"
  done <"$2.theirs"
}

# scan_paths LIST HASH OUT: what is at each path of the file LIST. HASH: the paths among them whose digest is wanted.
# OUT: path, type (find's letter: f d l …), mode (four digits), owner, group, size, sha256 or -, link target or -. Absent paths are left out.
scan_paths() {
  guard_paths "$1" "$3"
  # shellcheck disable=SC2016
  { cat -- "$3.own" && cut -f 1 -- "$3.guarded"; } |
    xargs -r -d '\n' sh -c 'exec find "$@" -maxdepth 0 -printf "%p\t%y\t%m\t%u\t%g\t%s\t%l\n"' find >"$3.found" 2>/dev/null || :
  sum_paths "$2" "$3" >"$3.sums" 2>/dev/null
  awk -v OFS='\t' '
    T == 1 { sum[substr($0, 67)] = substr($0, 1, 64); next }
    { print $1, $2, sprintf("%04d", $3), $4, $5, $6, ($2 == "f" && $1 in sum) ? sum[$1] : "-", $7 == "" ? "-" : $7 }
  ' T=1 "$3.sums" T=2 FS='\t' "$3.found" >"$3"
}

# follow_directories TABLE SCAN: a wanted directory may be a link to one on a bigger disk that only root (scope user: not a
# program with a directory of the release to itself) could have made; in SCAN it then counts as what it leads to.
follow_directories() {
  awk -F'\t' -v scope="$SCOPE" '
    T == 1 { wanted[$1] = 1; next }
    T == 2 { own[$0] = 1; next }
    !($1 in wanted) || $2 != "l" || !($1 in own) { next }
    scope == "system" { if ($4 == "root") print $1; next }
    { above = $1; while (sub("/[^/]*$", "", above)) if (above in wanted) next; print $1 }
  ' T=1 "$1" T=2 "$2.own" T=3 "$2" >"$2.links"
  while IFS= read -r path; do
    target=$(realpath -e -- "$path") || continue
    if [ ! -d "$target" ] || ! guard "$target"; then continue; fi
    find "$target" -maxdepth 0 -printf "%y\t%m\t%u\t%g\n" | while IFS=$TAB read -r type mode user group; do row "$path" "$type" "$mode" "$user" "$group"; done
  done <"$2.links" >"$2.led"
  awk -F'\t' -v OFS='\t' '
    T == 1 { led[$1] = $1 OFS $2 OFS sprintf("%04d", $3) OFS $4 OFS $5 OFS 0 OFS "-" OFS "-"; next }
    { print ($1 in led) ? led[$1] : $0 }
  ' T=1 "$2.led" T=2 "$2" >"$2.followed"
  mv -- "$2.followed" "$2"
}

# fingerprint SALT FILE: `v1:<salt>:<sha256 of the salt's text followed by the file>`.
fingerprint() { fingerprint_of "$1" <"$2"; }

# fingerprint_of SALT: the same of standard input.
fingerprint_of() {
  fingerprint_sum=$({ printf '%s' "$1" && cat; } | sha256sum)
  printf 'v1:%s:%s\n' "$1" "${fingerprint_sum%% *}"
}

# salt_of: the salt of the fingerprint on standard input, or a new one.
salt_of() {
  read -r salted || salted=-
  salted=${salted#v1:}
  salted=${salted%%:*}
  case $salted in '' | - | *[!0-9a-f]*) random_hex 16 ;; *) printf '%s' "$salted" ;; esac
}

random_hex() { od -An -vtx1 -N "$1" /dev/urandom | tr -d ' \n'; }

# scan_secrets SCAN OUT: path, mode, owner, group, fingerprint of each secret of the request that is a file.
scan_secrets() {
  : >"$2"
  while IFS=$TAB read -r _ path _ _ _ kind detail known; do
    if [ ! -f "$path" ] || ! guard "$path"; then continue; fi
    # The salt that makes the answer comparable: the operator's for a given secret, else the state's, else the host's record.
    salted=$known
    if [ "$kind" = given ]; then salted=$detail; fi
    if [ "$salted" = - ] && [ -f "$OWN/manifest" ]; then
      salted=$(awk -F'\t' -v path="$path" '$1 == "secret" && $2 == path { print $6 }' "$OWN/manifest")
    fi
    salted=$(printf '%s\n' "$salted" | salt_of)
    if [ "$GUARD" = - ]; then mark=$(fingerprint "$salted" "$path"); else mark=$(print_file "$path" | fingerprint_of "$salted"); fi
    row "$path" "$mark" >>"$2"
  done <"$(table secrets)"
  awk -F'\t' -v OFS='\t' 'T == 1 { mark[$1] = $2; next } $1 in mark && $2 == "f" { print $1, $3, $4, $5, mark[$1] }' \
    T=1 "$2" T=2 "$1" >"$2.joined"
  mv -- "$2.joined" "$2"
}

# scan_packages LIST OUT: name, installed version or -.
scan_packages() {
  pm_have "$1" >"$2.have" || :
  awk -F'\t' -v OFS='\t' 'T == 1 { have[$1] = $2; next } { print $1, ($1 in have) ? have[$1] : "-" }' T=1 "$2.have" T=2 "$1" >"$2"
}

# scan_units LIST OUT: name, UnitFileState or -, ActiveState, SubState, NRestarts, LoadState, Type, Result.
scan_units() {
  : >"$2"
  [ -s "$1" ] || return 0
  # shellcheck disable=SC2086 # Two words in a user's scope.
  xargs -r -d '\n' -a "$1" $SYSTEMCTL show -p UnitFileState,ActiveState,SubState,NRestarts,LoadState,Type,Result -- >"$2.show" 2>/dev/null || :
  awk -v OFS='\t' '
    function value(key) { return (key in have) && have[key] != "" ? have[key] : "-" }
    function flush() {
      if (!filled) return
      print name[++block], value("UnitFileState"), value("ActiveState"), value("SubState"), value("NRestarts"), value("LoadState"), value("Type"), value("Result")
      split("", have); filled = 0
    }
    T == 1 { name[++names] = $0; next }
    $0 == "" { flush(); next }
    { at = index($0, "="); have[substr($0, 1, at - 1)] = substr($0, at + 1); filled = 1 }
    END { flush() }
  ' T=1 "$1" T=2 "$2.show" >"$2"
}

# environment_digest INDEX PYTHON SYSTEM_SITE_PACKAGES: what the ready marker of an environment holds.
environment_digest() {
  environment_sum=$({ printf '%s\n' "$2" "$3" && cat -- "$REQUEST/requirements/$1"; } | sha256sum)
  printf '%s\n' "${environment_sum%% *}"
}

# environment_holds PATH: which distributions are in it, with their versions, as one digest.
environment_holds() {
  environment_sum=$({ cd -- "$1" && printf '%s\n' lib/python*/site-packages/*.dist-info; } 2>/dev/null | sha256sum)
  printf '%s\n' "${environment_sum%% *}"
}

# environment_whole PATH: its interpreter is there, and nobody has added, removed or changed a distribution.
environment_whole() { [ -x "$1/bin/python" ] && [ "$(cat -- "$1/.hearth-holds" 2>/dev/null)" = "$(environment_holds "$1")" ]; }

# environment_state INDEX PATH PYTHON SYSTEM_SITE_PACKAGES: ready, absent or other (not whole, or made for other requirements).
environment_state() {
  if [ ! -e "$2" ]; then
    printf 'absent\n'
  elif [ -f "$2/.hearth-ready" ] && [ "$(cat -- "$2/.hearth-ready")" = "$(environment_digest "$1" "$3" "$4")" ] && environment_whole "$2"; then
    printf 'ready\n'
  else
    printf 'other\n'
  fi
}

# task_state INDEX USER: the task's present state, one line, `-` when its program says nothing or fails.
task_state() { run_argv "$2" 20 "$REQUEST/argv/task.$1.observe" 2>/dev/null | one_line; }

# probe INDEX KIND URL STATUS TIMEOUT_SECONDS: prints `ok`, or what was seen instead.
probe() {
  if [ "$2" = command ]; then
    if probe_text=$(run_argv - "$5" "$REQUEST/argv/health.$1" 2>&1); then
      printf 'ok\n'
    else
      probe_status=$?
      probe_text=$(printf '%s\n' "$probe_text" | redact | tail -n 1 | one_line)
      if [ "$probe_status" = 124 ]; then
        printf 'gave no answer within %s s\n' "$5"
      elif [ "$probe_text" = - ]; then
        printf 'failed with status %s\n' "$probe_status"
      else
        printf 'failed: %s\n' "$probe_text"
      fi
    fi
    return 0
  fi
  if ! command -v curl >/dev/null; then
    printf 'curl is not installed on this host\n'
    return 0
  fi
  # -k: a service is asked on this host's own addresses, where its certificate's names do not hold; nothing secret is sent.
  if probe_text=$(curl -k -sS -o /dev/null -w '%{http_code}' --noproxy '*' --max-time "$5" -- "$3" 2>&1 </dev/null); then
    if [ "$probe_text" = "$4" ]; then printf 'ok\n'; else printf 'answered %s, expected %s\n' "$probe_text" "$4"; fi
  else
    printf '%s\n' "$probe_text" | sed 's/^curl: ([0-9]*) //; s/^000//' | grep . | tail -n 1 | one_line
  fi
}
