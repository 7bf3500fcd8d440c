#!/bin/sh
# Which Postgres cluster of Debian's packages Hearth uses on this host, in one line: major version, name, port, directory of its
# socket (-: it has none). Nothing where Hearth is not root: containers have a cluster of their own. Changes nothing.
#   clusters.sh PACKAGES IDENTITY
# PACKAGES: `package NAME VERSION` with tabs, by which a new cluster's version is known. IDENTITY: where this host keeps whose
# homeserver it is, when Hearth has set it up.
#
# /etc/postgresql belongs to postgres, who could put anything there: it is read with that user's rights, for a limited time, and
# what comes of it is checked here and by who reads this line.
set -eu
export LC_ALL=C
TAB=$(printf '\t')

# clusters ETC DATA: a row for each cluster configured below ETC (data by default below DATA): major, name, port, directory of its
# socket or -, and whose it is: `ours` (it includes our settings), `empty` (nobody has a database in it), `used`.
clusters() {
  for cluster_file in "$1"/*/*/postgresql.conf; do
    cluster_folder=${cluster_file%/*}
    cluster_name=${cluster_folder##*/}
    cluster_major=${cluster_folder%/*}
    cluster_major=${cluster_major##*/}
    case $cluster_major in '' | *[!0-9]*) continue ;; esac
    case $cluster_name in '' | *[!A-Za-z0-9_.]*) continue ;; esac
    cluster_seen=$(cluster_settings "$cluster_folder" "$2/$cluster_major/$cluster_name")
    cluster_data=$(printf '%s\n' "$cluster_seen" | sed -n 3p)
    printf '%s\t%s\t%s\t%s\t%s\n' "$cluster_major" "$cluster_name" "$(printf '%s\n' "$cluster_seen" | sed -n 1p)" \
      "$(printf '%s\n' "$cluster_seen" | sed -n 2p)" "$(cluster_owner "$cluster_folder" "$cluster_data")"
  done
}

# cluster_settings FOLDER DATA: port, socket directory and data directory, a line each; the last file that says one holds.
cluster_settings() {
  for cluster_part in "$1"/postgresql.conf "$1"/conf.d/*.conf; do
    if [ -f "$cluster_part" ]; then cat -- "$cluster_part" && echo; fi
  done 2>/dev/null | awk -v data="$2" '
    function value(text) { sub(/^[^=]*=[ \t]*/, "", text); if (text ~ /^\047/) { sub(/^\047/, "", text); sub(/\047.*/, "", text) } else sub(/[ \t#].*/, "", text); return text }
    /^[ \t]*port[ \t]*=/ { port = value($0) }
    /^[ \t]*unix_socket_directories[ \t]*=/ { sockets = value($0); told = 1 }
    /^[ \t]*data_directory[ \t]*=/ { data = value($0) }
    END {
      if (!told) sockets = "/run/postgresql"
      n = split(sockets, one, /[ \t]*,[ \t]*/)
      for (i = 1; i <= n; i++) {
        sub(/^\/var\/run\//, "/run/", one[i])
        if (one[i] ~ /^\/[A-Za-z0-9_.\/-]+$/ && (socket == "" || one[i] == "/run/postgresql")) socket = one[i]
      }
      print (port ~ /^[0-9]+$/ && port + 0 && port < 65536) ? port + 0 : 5432
      print (socket == "") ? "-" : socket
      print (data ~ /^\/[A-Za-z0-9_.\/-]+$/) ? data : "-"
    }'
}

# cluster_owner FOLDER DATA: databases beyond the three that initdb makes have numbers from 16384 on.
cluster_owner() {
  for cluster_mark in "$1"/conf.d/50-hearth*.conf; do
    if [ -e "$cluster_mark" ]; then
      echo ours
      return
    fi
  done
  if is_missing "$2/base"; then
    echo empty
  elif ! cluster_bases=$(ls -1 -- "$2/base" 2>/dev/null); then
    echo used
  elif printf '%s\n' "$cluster_bases" | awk '$0 ~ /^[0-9]+$/ && $0 >= 16384 { found = 1 } END { exit !found }'; then
    echo used
  else
    echo empty
  fi
}

# is_missing PATH: there is none; not: a directory that leads to it is closed to us.
is_missing() {
  case $1 in /*) ;; *) return 1 ;; esac
  if [ -e "$1" ]; then return 1; fi
  missing_above=$1
  while [ -n "$missing_above" ] && [ ! -e "$missing_above" ]; do missing_above=${missing_above%/*}; done
  [ -x "${missing_above:-/}" ]
}

# choose_cluster OFFERED KNOWN: of the rows on standard input the cluster to use, else one to be made: major, name, port, socket
# directory. Ours; on a host that we have set up before, the one with the standard port; one that nobody uses; else one of our own
# next to those of others, of the major version OFFERED. KNOWN: not empty when we have set the host up.
choose_cluster() {
  { used_ports && head -c 65536; } | awk -F'\t' -v offered="$1" -v known="$2" '
    function take(weight) { if (weight > best) { best = weight; chosen = $1 " " $2 " " $3 " " $4 } }
    NF == 1 { taken[$1] = 1; next }
    # What a process of postgres printed.
    NF != 5 || $1 !~ /^[0-9]+$/ || $2 !~ /^[A-Za-z0-9_.]+$/ || $3 !~ /^[0-9]+$/ || $4 !~ /^(-|\/[A-Za-z0-9_.\/-]+)$/ { next }
    { taken[$3] = 1; there[$1, $2] = 1; standard = $3 == 5432 ? 1 : 0 }
    $5 == "ours" { take(30 + standard) }
    $5 != "ours" && known != "" && $2 == "main" { take(20 + standard) }
    $5 == "empty" && $2 == "main" { take(10 + standard * 2 + ($1 == offered ? 1 : 0)) }
    END {
      if (best) { print chosen; exit }
      for (port = 5432; port in taken; port++) continue
      print offered, (offered, "main") in there ? "hearth" : "main", port, "/run/postgresql"
    }
  '
}

# Ports that something listens on, whatever the address: Debian's packages do not choose them for a cluster.
used_ports() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { n = split($2, at, ":"); print at[n] }' | while IFS= read -r port; do
    printf '%d\n' "0x$port"
  done
}

# as_reader: this program with other arguments, as postgres, or as nobody where there is none.
as_reader() {
  reader=postgres
  id -- "$reader" >/dev/null 2>&1 || reader=nobody
  timeout -k 1 10 setpriv --reuid "$reader" --regid "$(id -g -- "$reader")" --init-groups --no-new-privs --reset-env -- sh -s -- "$@" <"$0"
}

main() {
  if [ "$1" = list ]; then
    clusters "$2" "$3"
  elif [ "$(id -u)" = 0 ]; then
    # Another major version would be another, empty cluster, whatever the package manager has by now.
    offered=$(awk -F'\t' '$1 == "package" && $2 == "postgresql" { sub(/\..*/, "", $3); print $3 }' "$1")
    known=$(sed -n "s/^serverName$TAB//p" "$2" 2>/dev/null || :)
    { as_reader list /etc/postgresql /var/lib/postgresql || :; } | choose_cluster "${offered:-0}" "$known"
  fi
}

main "$@"
