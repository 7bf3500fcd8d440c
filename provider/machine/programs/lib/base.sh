# What every program of a Release shares: the request, the answer's rows, time, and running a program of the request.
# shellcheck shell=sh
# POSIX sh (dash). Needs what every Debian has: coreutils, util-linux, findutils, sed, awk, systemd.
# No value of a request ever becomes shell text: values are read with `read -r`, passed as arguments, printed with printf '%s'.

export LC_ALL=C
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

TAB=$(printf '\t')
REQUEST=$DIR/request
SCOPE=system

# use_scope: where everything Hearth knows on this host lies (0700), and whose units are meant, by $SCOPE: root's, or those of
# the user who runs this. A user's programs find the user's systemd and bus by the environment, which sudo or cron may not have set.
use_scope() {
  STATE=/var/lib/hearth
  SYSTEMCTL=systemctl SYSTEMD_RUN=systemd-run JOURNALCTL=journalctl
  [ "$SCOPE" = user ] || return 0
  # In a validator's view the user looks like root: what was found outside holds.
  if [ -z "${HEARTH_VIEW-}" ]; then
    LOGNAME=$(id -un)
    HOME=$(getent passwd "$LOGNAME" | cut -d : -f 6)
    XDG_RUNTIME_DIR=/run/user/$(id -u)
    DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
    export LOGNAME HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS
  fi
  STATE=$HOME/.local/state/hearth
  SYSTEMCTL='systemctl --user' SYSTEMD_RUN='systemd-run --user' JOURNALCTL='journalctl --user'
}
use_scope

# row FIELD...: one tab-separated row on standard output. Its status says whether it could be written.
row() {
  row_ifs=$IFS
  IFS=$TAB
  row_text=$*
  IFS=$row_ifs
  printf '%s\n' "$row_text"
}

# refuse CODE TEXT: the request cannot be carried out here; nothing was changed.
refuse() {
  row refuse "$1" "$2"
  row end refused
  exit 0
}

# table NAME: the file with the request's rows of that kind (an absent table is an empty one).
table() {
  if [ -f "$REQUEST/$1" ]; then printf '%s\n' "$REQUEST/$1"; else printf '/dev/null\n'; fi
}

# Reads request/meta into RELEASE, SCOPE, URN, INSTANCE, OPERATOR, RUN, APPLY, LINE, STEADY.
read_meta() {
  RELEASE=- SCOPE=system URN=- INSTANCE=- OPERATOR=- RUN=- APPLY=- LINE=1 STEADY=6
  [ -f "$REQUEST/meta" ] || refuse request "the request has no meta table"
  while IFS=$TAB read -r key value; do
    case $key in
      release) RELEASE=$value ;;
      scope) SCOPE=$value ;;
      urn) URN=$value ;;
      instance) INSTANCE=$value ;;
      operator) OPERATOR=$value ;;
      run) RUN=$value ;;
      apply) APPLY=$value ;;
      line) LINE=$value ;;
      steady) STEADY=$value ;;
    esac
  done <"$REQUEST/meta"
  case $RELEASE in *[!a-zA-Z0-9_.-]* | .*) refuse request "release name '$RELEASE' may only have letters, digits, '.', '_' and '-'" ;; esac
  case $APPLY in *[!a-zA-Z0-9-]*) refuse request "apply id '$APPLY' may only have letters, digits and '-'" ;; esac
  case $LINE in '' | *[!0-9]*) LINE=1 ;; esac
  case $STEADY in '' | *[!0-9]*) STEADY=6 ;; esac
  case $SCOPE in system | user) ;; *) refuse request "scope '$SCOPE' is neither system nor user" ;; esac
  use_scope
  OWN=$STATE/releases/$RELEASE
}

require_systemd() {
  [ -d /run/systemd/system ] || refuse systemd "systemd is not the init system of this host (pid 1); Hearth needs systemd"
}

# Refuses what these programs cannot work with.
require_host() {
  require_systemd
  if [ "$SCOPE" = user ]; then
    [ "$(id -u)" != 0 ] || refuse root "what runs without root cannot belong to root; log in as another user"
  else
    [ "$(id -u)" = 0 ] || refuse root "the host's part must run as root; log in as root or set become: sudo for this host"
  fi
}

# Refuses a change in scope user where the user's units would not outlive the login, or cannot run at all.
require_manager() {
  [ "$SCOPE" = user ] || return 0
  [ -S "$XDG_RUNTIME_DIR/systemd/private" ] ||
    refuse systemd "systemd runs no manager for user $LOGNAME; as root: systemctl unmask user@$(id -u).service; apt-get install libpam-systemd dbus-user-session; loginctl enable-linger $LOGNAME"
  [ -e "/var/lib/systemd/linger/$LOGNAME" ] ||
    refuse linger "the units of user $LOGNAME would end with the login; as root: loginctl enable-linger $LOGNAME"
  # A manager that ran before dbus-user-session was installed has not started the bus, which Podman needs.
  [ -S "$XDG_RUNTIME_DIR/bus" ] || { $SYSTEMCTL daemon-reload && $SYSTEMCTL start dbus.socket; } >/dev/null 2>&1 ||
    refuse systemd "user $LOGNAME has no bus; as root: apt-get install dbus-user-session"
}

# Refuses a path that could lead elsewhere than it says. Checks every path of the request.
check_paths() {
  bad=$(awk -F'\t' -v OFS='\t' '
    function check(p) { if (p !~ /^\/[^\/]+\/./ || p ~ /\/$/ || p ~ /\/\// || p ~ /\\/ || p ~ /(^|\/)\.\.?(\/|$)/) { print p; exit } }
    T == 1 { check($1) } T == 2 { check($2) }
  ' T=1 "$(table directories)" T=2 "$(table files)" "$(table secrets)" "$(table environments)")
  [ -z "$bad" ] || refuse request "path '$bad' must be absolute, below a top directory, without '..', '.', '//', a backslash or a '/' at its end"
}

# Centiseconds since boot, in NOW. Wall clocks jump; this does not. (No process is started.)
uptime_now() {
  read -r NOW _ </proc/uptime
  NOW=${NOW%.*}${NOW#*.}
}

# seconds CENTISECONDS: as text with one digit, e.g. 3.2
seconds() { printf '%s.%s' "$(($1 / 100))" "$((($1 % 100) / 10))"; }

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# age UPTIME_CENTISECONDS BOOT_ID FILE: whole seconds since then. Across a reboot only the file's time is left; for display only.
age() {
  uptime_now
  if [ "$2" = "$(boot_id)" ]; then
    printf '%s\n' "$(((NOW - $1) / 100))"
  else
    age_seconds=$(($(date +%s) - $(stat -c %Y -- "$3")))
    if [ "$age_seconds" -lt 0 ]; then age_seconds=0; fi
    printf '%s\n' "$age_seconds"
  fi
}

# value FILE KEY: the value of `KEY<tab>VALUE` in FILE, or nothing (a file may vanish at any moment).
value() {
  {
    while IFS=$TAB read -r value_key value_text; do
      if [ "$value_key" = "$2" ]; then
        printf '%s\n' "$value_text"
        return 0
      fi
    done <"$1"
  } 2>/dev/null || :
}

# run_argv USER TIMEOUT_SECONDS ARGV_FILE: runs the program of an argv file with a clean environment, nothing on standard input.
run_argv() {
  run_user=$1 run_timeout=$2 run_file=$3 run_home=/root
  if [ "$SCOPE" = user ]; then run_home=$HOME; fi
  set --
  while IFS= read -r run_word || [ -n "$run_word" ]; do set -- "$@" "$run_word"; done <"$run_file"
  if [ "$run_user" != - ]; then
    id -- "$run_user" >/dev/null 2>&1 || { printf 'user %s does not exist\n' "$run_user" >&2; return 1; }
    set -- setpriv --reuid "$run_user" --regid "$(id -g -- "$run_user")" --init-groups --reset-env -- env LANG=C.UTF-8 "$@"
  fi
  set -- timeout -k 5 "$run_timeout" "$@"
  if [ "$SCOPE" = user ]; then
    set -- "LOGNAME=$LOGNAME" "USER=$LOGNAME" "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR" "DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS" "$@"
    # By these Podman knows in a validator's view that it is in the user's own namespace already.
    if [ -n "${_CONTAINERS_USERNS_CONFIGURED-}" ]; then
      set -- "_CONTAINERS_USERNS_CONFIGURED=$_CONTAINERS_USERNS_CONFIGURED" "_CONTAINERS_ROOTLESS_UID=$_CONTAINERS_ROOTLESS_UID" \
        "_CONTAINERS_ROOTLESS_GID=$_CONTAINERS_ROOTLESS_GID" "$@"
    fi
  fi
  (cd / && exec env -i PATH="$PATH" HOME="$run_home" LANG=C.UTF-8 "$@") </dev/null
}

# stop_triggered UNIT: what a timer has started may run for hours yet; without its timer nobody wants it. Before the timer stops.
stop_triggered() {
  case $1 in *.timer) ;; *) return 0 ;; esac
  triggered=$($SYSTEMCTL show -P Triggers -- "$1" 2>/dev/null) || return 0
  [ -n "$triggered" ] || return 0
  $SYSTEMCTL stop -- "$triggered" 2>/dev/null || :
  # A job that was cut off counts as failed.
  $SYSTEMCTL reset-failed -- "$triggered" 2>/dev/null || :
}

# is_up ACTIVE_STATE: does a unit in that state run, or is it about to?
is_up() { case $1 in active | activating | reloading) return 0 ;; *) return 1 ;; esac; }

# one_line: standard input's first line, tabs and other control characters made spaces (no row may have them), `-` when empty.
one_line() { awk 'NR == 1 { gsub(/[[:cntrl:]]/, " "); line = $0 } END { print (line == "") ? "-" : line }'; }
