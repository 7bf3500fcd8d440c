# apt repositories and packages. Additions only: nothing here is undone.
# shellcheck shell=sh

POLICY=/usr/sbin/policy-rc.d

apply_repositories() {
  while IFS=$TAB read -r name uris suites components fingerprint; do
    [ "$(repository_state "$name" "$uris" "$suites" "$components")" != ready ] || continue
    begin 3 packages "adding apt repository $name"
    check_key "$name" "$fingerprint"
    mkdir -p /etc/apt/keyrings
    install -m 0644 -- "$REQUEST/keys/$name" "$(repository_key "$name")"
    repository_text "$name" "$uris" "$suites" "$components" >"$DIR/sources"
    install -m 0644 -- "$DIR/sources" "$(repository_sources "$name")"
    row did "added apt repository $name"
    LISTS_STALE=1
  done <"$(table repositories)"
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
  if ! lists_are_fresh; then update_lists; fi
  run_apt install --no-install-recommends -- gpg || refuse_packages "gpg, which checks the key of apt repository $1, could not be installed"
  row did "installed package gpg (it checks the keys of apt repositories)"
}

apply_packages() {
  wanted_packages >"$WORK/install"
  [ -s "$WORK/install" ] || return 0
  begin 3 packages "installing packages: $(paste -s -d ' ' "$WORK/install")"
  place_policy
  if [ -n "${LISTS_STALE-}" ] || ! lists_are_fresh; then update_lists; fi
  install_packages || {
    # Old lists, or an installation that was cut off before: put both right and try once more.
    run "$DIR/output" dpkg --force-confdef --force-confold --configure -a || fail "dpkg --configure -a failed" "$DIR/output"
    update_lists
    install_packages || refuse_packages "apt-get install failed: $(paste -s -d ' ' "$WORK/install")"
  }
  remove_policy
  cp -- "$WORK/packages" "$WORK/packages.before"
  scan_packages "$WORK/list.packages" "$WORK/packages"
  awk -F'\t' 'T == 1 { before[$1] = $2; next } before[$1] != $2 { print }' T=1 "$WORK/packages.before" T=2 "$WORK/packages" >"$WORK/installed"
  # Whose units these are is known after a failure, too.
  awk -F'\t' 'T == 1 { if ($2 == "-") new[$1] = 1; next } $1 in new { print $1 }' T=1 "$WORK/packages.before" T=2 "$WORK/installed" >>"$STATE/installed"
  while IFS=$TAB read -r name version; do
    row did "installed package $name $version"
    changed "package:$name"
  done <"$WORK/installed"
}

# Did we fetch apt's lists in the last hour? (Their own times are those of the archive; a clock may have jumped.)
lists_are_fresh() {
  [ "$(value "$STATE/apt-lists" boot)" = "$(boot_id)" ] || return 1
  uptime_now
  [ $((NOW - $(value "$STATE/apt-lists" uptime))) -lt 360000 ]
}

# Lists that cannot be fetched (an expired key, a dead repository, a mirror that is away) end nothing: what is wanted may stand in
# those that are there. If it does not, refuse_packages says which could not be fetched.
update_lists() {
  updated=0
  run_apt update || updated=$?
  list_failures <"$DIR/output" >"$WORK/lists.failed"
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

# told_once: the lines of standard input that this transaction has not said before.
told_once() {
  touch -- "$WORK/told"
  grep -v -x -F -f "$WORK/told" | tee -a "$WORK/told.new" || :
  cat -- "$WORK/told.new" >>"$WORK/told" 2>/dev/null || :
}

# list_failures: apt's words on standard input; host and reason of each archive that could not be fetched, once each. The line
# that says most comes last in apt's words.
list_failures() {
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

# refuse_packages TEXT: fails with apt's words, and with the archives that could not be asked or did not send a package.
refuse_packages() {
  list_failures <"$DIR/output" >"$WORK/install.failed"
  unfetched=$(cut -f 1 -s -- "$WORK/lists.failed" 2>/dev/null | paste -s -d ' ')
  if [ -n "$unfetched" ]; then
    fail "$1; apt could not fetch the lists of $unfetched: $(head -n 1 -- "$WORK/lists.failed" | cut -f 2)" "$DIR/output"
  elif [ -s "$WORK/install.failed" ]; then
    fail "$1; $(head -n 1 -- "$WORK/install.failed" | tr '\t' ' ' | sed 's/ /: /')" "$DIR/output"
  fi
  fail "$1" "$DIR/output"
}

install_packages() {
  set --
  while IFS= read -r item; do set -- "$@" "$item"; done <"$WORK/install"
  run_apt install --no-install-recommends --allow-downgrades -- "$@" || {
    note_installed
    return 1
  }
  note_installed
}

# note_installed: remembers every package that apt's words call new, also those that came along: their units are nobody else's.
note_installed() {
  sed -n -E 's/^Selecting previously unselected package ([a-z0-9][a-z0-9.+-]*)(:[a-z0-9]+)?\.[[:space:]]*$/\1/p' "$DIR/output" >>"$STATE/installed"
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

# While packages are installed no service may start (its configuration is not there yet): the distribution asks this file.
# $STATE/policy says what was there before, so that an interrupted transaction can be cleared up.
place_policy() {
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

remove_policy() {
  [ -e "$STATE/policy" ] || return 0
  rm -f -- "$POLICY.hearth-new"
  if [ "$(cat -- "$STATE/policy")" != saved ]; then
    rm -f -- "$POLICY"
  elif [ -e "$POLICY.hearth-saved" ]; then
    mv -f -- "$POLICY.hearth-saved" "$POLICY"
  fi
  rm -f -- "$STATE/policy"
}
