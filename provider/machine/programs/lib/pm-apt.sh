# apt and dpkg, as the package manager of a host. What each pm_ function has to do is said in pm.sh.
# shellcheck shell=sh

pm_architecture() { dpkg --print-architecture; }

pm_versions() {
  xargs -r -d '\n' -a "$1" apt-cache policy 2>/dev/null | awk -v OFS='\t' '
    /^[a-z0-9]/ { name = $1; sub(/:$/, "", name) }
    # Installed comes before Candidate.
    ($1 == "Installed:" || $1 == "Candidate:") && $2 != "(none)" && !(name in seen) {
      seen[name] = 1
      version = $2; sub(/^[0-9]+:/, "", version); sub(/[-+~].*/, "", version)
      print name, version
    }'
}

pm_have() {
  # shellcheck disable=SC2016 # dpkg's own fields.
  xargs -r -d '\n' -a "$1" dpkg-query -W -f '${Package}\t${db:Status-Status}\t${Version}\n' 2>/dev/null |
    awk -F'\t' -v OFS='\t' '$2 == "installed" { print $1, $3 }'
}

pm_owner() {
  case $1 in /lib/systemd/* | /usr/lib/systemd/*) ;; *) return 0 ;; esac
  set -- "${1#/usr}"
  grep -l -x -F -e "$1" -e "/usr$1" /var/lib/dpkg/info/*.list 2>/dev/null | sed 's#.*/##; s/\.list$//; s/:.*//' | head -n 1
}

pm_words_install() { printf 'apt-get install %s' "$*" | sed 's/ $//'; }

pm_words_remove() { printf 'apt-get remove %s' "$*"; }

pm_simulate() {
  timeout -k 5 30 apt-get -s -q -o Debug::NoLocking=1 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Get::Show-User-Simulation-Note=no \
    install --no-install-recommends --allow-downgrades -- "$@" >"$WORK/simulated" 2>/dev/null </dev/null || return 1
  simulated_changes "$WORK/simulated"
}

# simulated_changes FILE: the rows of apt's simulation.
simulated_changes() {
  awk -v OFS='\t' '
    $1 == "Inst" {
      old = "-"; new = $3
      if ($3 ~ /^\[/) { old = substr($3, 2, length($3) - 2); new = $4 }
      sub(/^\(/, "", new)
      print $2, old, new
    }
    $1 == "Remv" { old = $3; gsub(/[][]/, "", old); print $2, old, "-" }
  ' "$1"
}

repository_sources() { printf '/etc/apt/sources.list.d/hearth-%s.sources\n' "$1"; }

# repository_key NAME: where its key goes; apt tells armoured and binary keys apart by the file's name.
repository_key() {
  if grep -q -a 'BEGIN PGP' -- "$REQUEST/keys/$1"; then
    printf '/etc/apt/keyrings/hearth-%s.asc\n' "$1"
  else
    printf '/etc/apt/keyrings/hearth-%s.gpg\n' "$1"
  fi
}

repository_text() {
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n' "$2" "$3" "$4" "$(repository_key "$1")"
}

# pm_repository_state NAME URIS SUITES COMPONENTS: ready, absent or other.
pm_repository_state() {
  repository_file=$(repository_sources "$1")
  if [ ! -e "$repository_file" ]; then
    printf 'absent\n'
  elif repository_text "$@" | cmp -s - "$repository_file" && cmp -s "$REQUEST/keys/$1" "$(repository_key "$1")"; then
    printf 'ready\n'
  else
    printf 'other\n'
  fi
}

pm_add_repository() {
  check_key "$1" "$5"
  mkdir -p /etc/apt/keyrings
  install -m 0644 -- "$REQUEST/keys/$1" "$(repository_key "$1")"
  repository_text "$1" "$2" "$3" "$4" >"$DIR/sources"
  install -m 0644 -- "$DIR/sources" "$(repository_sources "$1")"
  LISTS_STALE=1
}

# check_key NAME FINGERPRINT: the shipped file holds the pinned key and no other. Only gpg can tell, and a small host has none.
check_key() {
  command -v gpg >/dev/null || add_gpg "$1"
  mkdir -p -m 0700 -- "$WORK/gpg"
  found=$(gpg --homedir "$WORK/gpg" --batch --show-keys --with-colons -- "$REQUEST/keys/$1" 2>/dev/null |
    awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }' | paste -s -d ' ')
  wanted=$(printf '%s' "$2" | tr -d ' ' | tr '[:lower:]' '[:upper:]')
  [ "$found" = "$wanted" ] || fail "the key of apt repository $1 has fingerprint ${found:-none}, pinned is $wanted"
}

add_gpg() {
  if ! pm_lists_fresh; then pm_update; fi
  run_apt install --no-install-recommends -- gpg || refuse_packages "gpg, which checks the key of apt repository $1, could not be installed"
  row did "installed package gpg (it checks the keys of apt repositories)"
}

# Were they fetched in the last hour? (Their own times are those of the archive; a clock may have jumped.)
pm_lists_fresh() {
  [ -z "${LISTS_STALE-}" ] || return 1
  [ "$(value "$STATE/apt-lists" boot)" = "$(boot_id)" ] || return 1
  uptime_now
  [ $((NOW - $(value "$STATE/apt-lists" uptime))) -lt 360000 ]
}

# Lists that cannot be fetched (an expired key, a dead repository, a mirror that is away) end nothing: what is wanted may stand in
# those that are there. If it does not, refuse_packages says which could not be fetched.
pm_update() {
  updated=0
  run_apt update || updated=$?
  pm_list_failures <"$DIR/output" >"$WORK/lists.failed"
  if [ -s "$WORK/lists.failed" ]; then
    rm -f -- "$STATE/apt-lists"
    while IFS=$TAB read -r host why; do
      row note "apt could not fetch the lists of $host; going on with those that are there: $why"
    done <"$WORK/lists.failed" | told_once
  else
    [ "$updated" = 0 ] || fail "apt-get update failed" "$DIR/output"
    uptime_now
    { row boot "$(boot_id)" && row uptime "$NOW"; } >"$STATE/apt-lists"
  fi
}

# pm_list_failures: apt's words on standard input; host and reason of each archive that could not be fetched, once each. The line
# that says most comes last in apt's words.
pm_list_failures() {
  awk -v OFS='\t' '
    /^(E|W): / && /Failed to fetch|(does not|no longer) ha(ve|s) a Release file|is not signed|is expired|is not valid yet|GPG error|signature verification/ {
      if (!match($0, /(https?|ftp|file|cdrom|mirror[+a-z]*|copy|ssh):\/*[^ \/'"'"']+/)) next
      host = substr($0, RSTART, RLENGTH); sub(/^[a-z+]+:\/*/, "", host); sub(/^.*@/, "", host)
      why = $0; sub(/^[EW]: /, "", why); gsub(/[[:cntrl:]]/, " ", why)
      if (!(host in reason)) order[++hosts] = host
      reason[host] = substr(why, 1, 300)
    }
    END { for (i = 1; i <= hosts; i++) print order[i], reason[order[i]] }
  ' | redact
}

pm_install() { run_apt install --no-install-recommends --allow-downgrades -- "$@"; }

# Old lists, or an installation that was cut off before.
pm_mend() {
  run "$DIR/output" dpkg --force-confdef --force-confold --configure -a || fail "dpkg --configure -a failed" "$DIR/output"
  pm_update
}

pm_new_packages() {
  sed -n -E 's/^Selecting previously unselected package ([a-z0-9][a-z0-9.+-]*)(:[a-z0-9]+)?\.[[:space:]]*$/\1/p' "$1"
}

# run_apt ARGUMENT...: apt-get, waiting up to 5 minutes for another package manager (a fresh host updates itself at its first boot).
run_apt() {
  uptime_now
  apt_since=$NOW
  while ! run_apt_once "$@"; do
    grep -q -E 'Could not get lock|Unable to lock' -- "$DIR/output" || return 1
    uptime_now
    [ $((NOW - apt_since)) -lt 30000 ] || return 1
    row step 3 "$STEPS" "waiting for another package manager on this host"
    obey_cancel
    sleep 3
  done
}

run_apt_once() {
  run "$DIR/output" env DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 timeout -k 30 1800 \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

POLICY=/usr/sbin/policy-rc.d

# While packages are installed no service may start (its configuration is not there yet): the distribution asks this file.
# $STATE/policy says what was there before, so that an interrupted transaction can be cleared up.
pm_hold_services() {
  if [ ! -e "$STATE/policy" ]; then
    if [ -e "$POLICY" ]; then
      rm -f -- "$POLICY.hearth-saved"
      cp -a -- "$POLICY" "$POLICY.hearth-saved"
      sync -f -- "$POLICY.hearth-saved"
      printf 'saved\n' | write_state "$STATE/policy"
    else
      printf 'none\n' | write_state "$STATE/policy"
    fi
  fi
  printf '#!/bin/sh\nexit 101\n' >"$POLICY.hearth-new"
  chmod 0755 "$POLICY.hearth-new"
  mv -f -- "$POLICY.hearth-new" "$POLICY"
}

pm_free_services() {
  [ -e "$STATE/policy" ] || return 0
  rm -f -- "$POLICY.hearth-new"
  if [ "$(cat -- "$STATE/policy")" != saved ]; then
    rm -f -- "$POLICY"
  elif [ -e "$POLICY.hearth-saved" ]; then
    mv -f -- "$POLICY.hearth-saved" "$POLICY"
  fi
  rm -f -- "$STATE/policy"
}
