#!/bin/sh
# Facts of the host, the same from run to run. Refuses hosts that cannot work. Changes nothing (not even apt's lists).
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/owner.sh"
. "$DIR/lib/clusters.sh"
. "$DIR/lib/rootless.sh"

WORK=$DIR/work
mkdir -p -- "$WORK"

os() { sed -n "s/^$1=//p" /etc/os-release | tr -d '"' | head -n 1; }

distribution=$(os ID)
release=$(os VERSION_ID)
case $distribution:$release in
  debian:12 | debian:13) ;;
  *) refuse distribution "this host runs $(os PRETTY_NAME); Hearth supports Debian 12 (bookworm) and Debian 13 (trixie)" ;;
esac
# What will run without root is looked at without root.
if [ -s "$(table rootless)" ]; then require_systemd; else require_host; fi

row fact distribution "$distribution"
row fact release "$release"
row fact codename "$(os VERSION_CODENAME)"
row fact architecture "$(dpkg --print-architecture)"
row fact memoryMiB "$(awk '$1 == "MemTotal:" { print int($2 / 1024 / 64) * 64 }' /proc/meminfo)"
# With IPv6 off in the kernel there is no such file; switched off by sysctl it is empty.
row fact ipv6 "$(if [ -n "$(cat /proc/net/if_inet6 2>/dev/null)" ]; then echo 1; else echo 0; fi)"
row fact cores "$(getconf _NPROCESSORS_ONLN)"
row fact systemd "$($SYSTEMCTL --version | awk 'NR == 1 { print $2 }')"

# What is installed, else what apt would install; where it has no lists yet (a fresh image), what the release is known to have.
case $release in
  12) python=3.11 postgres=15 nginx=1.22.1 podman=4.3.1 ;;
  13) python=3.13 postgres=17 nginx=1.26.3 podman=5.4.2 ;;
esac
# Podman may have come in another way than from apt.
found=$(podman --version 2>/dev/null || :)
apt-cache policy python3 postgresql nginx podman 2>/dev/null |
  awk -v OFS='\t' -v python="$python" -v postgres="$postgres" -v nginx="$nginx" -v podman="$podman" -v found="${found##* }" '
    /^[a-z]/ { name = $1; sub(/:$/, "", name) }
    # Installed comes before Candidate.
    ($1 == "Installed:" || $1 == "Candidate:") && $2 != "(none)" && !(name in seen) {
      seen[name] = 1
      version = $2; sub(/^[0-9]+:/, "", version); sub(/[-+~].*/, "", version); split(version, part, ".")
      if (name == "python3") python = part[1] "." part[2]
      if (name == "postgresql") postgres = part[1]
      if (name == "nginx") nginx = version
      if (name == "podman") podman = version
    }
    END { print "fact", "python", python; print "fact", "postgres", postgres; print "fact", "nginx", nginx; print "fact", "podman", found == "" ? podman : found }' >"$WORK/offered"
grep -v -e "^fact${TAB}postgres${TAB}" -- "$WORK/offered"

# Another major version would be another, empty cluster, whatever apt has by now. Containers have one of their own.
offered=$(awk -F'\t' '$2 == "postgres" { print $3 }' "$WORK/offered")
if [ "$(id -u)" = 0 ]; then
  clusters /etc/postgresql /var/lib/postgresql | choose_cluster "$offered" "$(value "$STATE/identity" serverName)" >"$WORK/cluster"
  IFS=$TAB read -r offered cluster port socket <"$WORK/cluster"
  row fact postgresCluster "$cluster"
  row fact postgresPort "$port"
  row fact postgresSocket "$socket"
fi
row fact postgres "$offered"

if [ "$(dpkg-query -W -f '${db:Status-Status}' tailscale 2>/dev/null)" = installed ]; then
  row fact tailscale package
elif command -v tailscaled >/dev/null; then
  row fact tailscale other
fi

login=$(login_user)
row fact user "$login"
row fact group "$(id -gn -- "$login")"
row fact uid "$(id -u -- "$login")"
row fact home "$(getent passwd "$login" | cut -d : -f 6)"
if [ -s "$(table rootless)" ]; then rootless_facts "$login" "$(id -u -- "$login")"; fi
row end
