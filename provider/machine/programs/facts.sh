#!/bin/sh
# Facts of the host, the same from run to run. Refuses hosts that cannot work. Changes nothing (not even the package manager's lists).
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/questions.sh"
. "$DIR/lib/rootless.sh"

WORK=$DIR/work
mkdir -p -- "$WORK"

os() { sed -n "s/^$1=//p" /etc/os-release | tr -d '"' | head -n 1; }

distribution=$(os ID)
release=$(os VERSION_ID)
key=$(known_key "$distribution" "$release")
require_known "$key" "$(os PRETTY_NAME)"
. "$DIR/lib/pm.sh"
# What will run without root is looked at without root.
if [ -f "$REQUEST/rootless" ]; then require_systemd; else require_host; fi

row fact distribution "$distribution"
row fact release "$release"
row fact codename "$(os VERSION_CODENAME)"
row fact architecture "$(pm_architecture)"
row fact memoryMiB "$(awk '$1 == "MemTotal:" { print int($2 / 1024 / 64) * 64 }' /proc/meminfo)"
# With IPv6 off in the kernel there is no such file; switched off by sysctl it is empty.
row fact ipv6 "$(if [ -n "$(cat /proc/net/if_inet6 2>/dev/null)" ]; then echo 1; else echo 0; fi)"
row fact cores "$(getconf _NPROCESSORS_ONLN)"
row fact systemd "$($SYSTEMCTL --version | awk 'NR == 1 { print $2 }')"

report_packages "$key"
# Podman may have come in another way than from a package.
found=$(podman --version 2>/dev/null || :)
found=${found##* }
row fact podman "${found:-$(awk '$2 == "podman" { print $3 }' "$WORK/packages")}"

login=$(login_user)
row fact user "$login"
row fact group "$(id -gn -- "$login")"
row fact uid "$(id -u -- "$login")"
row fact home "$(getent passwd "$login" | cut -d : -f 6)"
if [ -f "$REQUEST/rootless" ]; then rootless_facts "$key" "$login" "$(id -u -- "$login")"; fi
report_programs
row end
