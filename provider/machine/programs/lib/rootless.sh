# What rootless containers of the login user need from the host.
# shellcheck shell=sh

# login_user: who logged in, also where sudo made root of him.
login_user() {
  if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER-}" ]; then printf '%s\n' "$SUDO_USER"; else id -un; fi
}

# rootless_facts KEY USER UID: `packageManager` (apt, pacman), `missing` (packages that containers need on distribution KEY and that are not there), `subids` (least
# of the user's ids for users and groups), `freeSubids` (first that nobody has), `linger`, `manager` (running, stopped, masked),
# `cgroups` (version), `namespaces` (restricted, free: whether AppArmor keeps them from users).
rootless_facts() {
  row fact packageManager "$PM"
  row fact missing "$(missing_packages "$1")"
  row fact subids "$(subids "$2" "$3" /etc)"
  row fact freeSubids "$(free_subids /etc)"
  row fact linger "$(if [ -e "/var/lib/systemd/linger/$2" ]; then echo 1; else echo 0; fi)"
  row fact manager "$(manager_state "$3")"
  row fact cgroups "$(cgroups_version /sys/fs/cgroup)"
  row fact namespaces "$(namespaces_limit /proc/sys)"
}

# subids USER UID ETC: how many ids the smaller of ETC/subuid and ETC/subgid gives him.
subids() {
  awk -F: -v user="$1" -v uid="$2" '$1 == user || $1 == uid { sum[T] += $3 } END { print (sum[1] < sum[2] ? sum[1] : sum[2]) + 0 }' \
    T=1 "$(existing "$3/subuid")" T=2 "$(existing "$3/subgid")"
}

existing() { if [ -f "$1" ]; then printf '%s\n' "$1"; else printf '/dev/null\n'; fi; }

# free_subids ETC: the first id above all ranges; useradd begins at 100000 too.
free_subids() {
  cat -- "$1/subuid" "$1/subgid" 2>/dev/null | awk -F: 'BEGIN { free = 100000 } $2 + $3 > free { free = $2 + $3 } END { print free }'
}

manager_state() {
  if [ -S "/run/user/$1/systemd/private" ]; then
    echo running
  elif [ "$(systemctl show -p LoadState --value "user@$1.service")" = masked ]; then
    echo masked
  else
    echo stopped
  fi
}

# cgroups_version ROOT: the version whose tree is at ROOT.
cgroups_version() { if [ -f "$1/cgroup.controllers" ]; then echo 2; else echo 1; fi; }

# namespaces_limit SYSCTLS: is a user namespace of an ordinary user worth nothing (Ubuntu's limit by AppArmor)?
namespaces_limit() {
  if [ "$(cat -- "$1/kernel/apparmor_restrict_unprivileged_userns" 2>/dev/null)" = 1 ]; then echo restricted; else echo free; fi
}
