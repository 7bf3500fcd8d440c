# pacman, as the package manager of a host. What each pm_ function has to do is said in pm.sh.
# Its lists are never fetched here: a package from newer lists than the host was last upgraded by is what Arch calls a partial
# upgrade, which it does not support. Who runs the host upgrades it as a whole (pacman -Syu).
# shellcheck shell=sh

pm_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
  esac
}

pm_have() { xargs -r -d '\n' -a "$1" pacman -Q -- 2>/dev/null | tr ' ' "$TAB" || :; }

pm_versions() {
  # `-Q` says `NAME VERSION`, `-Si` a field a line; what is installed comes first.
  { pm_have "$1" && xargs -r -d '\n' -a "$1" pacman -Si -- 2>/dev/null || :; } | awk -v OFS='\t' '
    function upstream(text) { sub(/^[0-9]+:/, "", text); sub(/[-+~].*/, "", text); return text }
    NF == 2 && $2 != ":" { seen[$1] = 1; print $1, upstream($2); next }
    $1 == "Name" { name = $3 }
    $1 == "Version" && !(name in seen) { seen[name] = 1; print name, upstream($3) }'
}

# What it would remove or replace it does not say without asking: such an installation fails instead.
pm_simulate() {
  timeout -k 5 30 pacman -S --print --print-format '%n %v' --needed -- "$@" >"$WORK/simulated" 2>/dev/null </dev/null || return 1
  cut -d ' ' -f 1 -- "$WORK/simulated" >"$WORK/simulated.names"
  pm_have "$WORK/simulated.names" >"$WORK/simulated.have"
  awk -v OFS='\t' 'T == 1 { have[$1] = $2; next } NF == 2 && !($1 in have && have[$1] == $2) { print $1, ($1 in have) ? have[$1] : "-", $2 }' \
    T=1 "$WORK/simulated.have" T=2 "$WORK/simulated"
}

pm_owner() {
  case $1 in /lib/systemd/* | /usr/lib/systemd/*) pacman -Qqo -- "$1" 2>/dev/null || : ;; esac
}

pm_words_install() { printf 'pacman -S %s' "$*" | sed 's/ $//'; }

pm_words_remove() { printf 'pacman -R %s' "$*"; }

pm_repository_state() { printf 'absent\n'; }

pm_add_repository() { fail "repository $1 is one for apt, and this host has pacman"; }

pm_lists_fresh() {
  for pacman_list in /var/lib/pacman/sync/*.db; do
    if [ -e "$pacman_list" ]; then return 0; fi
  done
  return 1
}

pm_update() { fail "pacman has no lists of packages; as root: pacman -Syu"; }

pm_install() {
  uptime_now
  pacman_since=$NOW
  until run "$DIR/output" timeout -k 30 1800 pacman -S --noconfirm --needed --noprogressbar -- "$@"; do
    grep -q 'unable to lock database' -- "$DIR/output" || return 1
    uptime_now
    [ $((NOW - pacman_since)) -lt 30000 ] || return 1
    row step 3 "$STEPS" "waiting for another package manager on this host"
    obey_cancel
    sleep 3
  done
}

# It has no half installed packages that could be gone on with, and its lists stay.
pm_mend() { :; }

pm_new_packages() { sed -n -E 's/^installing ([a-z0-9@._+-]+)\.\.\.[[:space:]]*$/\1/p' "$1"; }

pm_list_failures() {
  awk -v OFS='\t' '
    /^error: failed retrieving file/ {
      if (!match($0, / from [^ ]+ : /)) next
      host = substr($0, RSTART + 6, RLENGTH - 9)
      why = $0; sub(/^error: /, "", why); gsub(/[[:cntrl:]]/, " ", why)
      if (!(host in reason)) order[++hosts] = host
      reason[host] = substr(why, 1, 300)
    }
    END { for (i = 1; i <= hosts; i++) print order[i], reason[order[i]] }
  ' | redact
}

# Packages of Arch start no services.
pm_hold_services() { :; }

pm_free_services() { :; }
