#!/bin/sh
# Asks Quadlet's own generator, and systemd about what it generates, whether they understand container and timer files.
# Usage: check_quadlet.sh FILE...
# Status 1 with their complaints on standard error. What they say of files that are not named here is not our matter.
set -eu

find_generator() {
  for candidate in /usr/libexec/podman/quadlet /usr/lib/podman/quadlet \
    /usr/lib/systemd/user-generators/podman-user-generator; do
    if [ -x "$candidate" ]; then printf '%s\n' "$candidate" && return 0; fi
  done
  echo "check_quadlet.sh: Podman's generator is not on this host; install the package podman (4.4 or newer)" >&2
  return 1
}

# complaints WORDS FILE: lines of FILE that hold WORDS.
complaints() {
  if grep -F -e "$1" -- "$2" | grep -v -F 'Loading source unit file' >&2; then faulty=1; fi
}

generator=$(find_generator)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/units"
# It ends with status 0 or 1 whatever is wrong with which file: only its words say.
"$generator" -user -no-kmsg-log "$work/units" >"$work/said" 2>&1 || true

faulty=0
for file in "$@"; do
  name=${file##*/}
  case $name in
    *.container) unit=${name%.container}.service ;;
    *.volume) unit=${name%.volume}-volume.service ;;
    *.network) unit=${name%.network}-network.service ;;
    *) unit=$name && cp -- "$file" "$work/units/$unit" ;;
  esac
  complaints "$name" "$work/said"
  if [ ! -e "$work/units/$unit" ]; then
    echo "$name: Podman's generator makes no unit of it" >&2
    faulty=1
    continue
  fi
  systemd-analyze --user verify --man=no --recursive-errors=no "$work/units/$unit" >"$work/verified" 2>&1 || true
  complaints "$unit" "$work/verified"
done
exit "$faulty"
