#!/bin/sh
# `view.sh DIR INDEX USER TIMEOUT ISOLATED`, run by `unshare --mount`: shows one validator the host as it would be after the swap.
# Every top directory (scope user: the directories of the home with configuration and programs; the user's containers and data stay the live ones)
# becomes an overlay whose upper layer is in memory, so whatever the validator writes there is gone afterwards.
# INDEX `-` only tries whether this host can do that. Ends with the validator's status, or with 97 when the view could not be made (the reason is on standard error).
set -eu
DIR=$1
. "$DIR/lib/base.sh"
. "$DIR/lib/owner.sh"
. "$DIR/lib/stage.sh"
. "$DIR/lib/swap.sh"

cannot() {
  printf '%s\n' "$1" >&2
  exit 97
}

# overlay DIRECTORY: puts the copy-on-write view over it; what is mounted below stays visible.
overlay() {
  count=$((count + 1))
  mkdir -p -- "$VIEW/$count/upper" "$VIEW/$count/work" "$VIEW/$count/keep"
  chmod --reference="$1" -- "$VIEW/$count/upper"
  chown --reference="$1" -- "$VIEW/$count/upper"
  awk -v top="$1/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -u >"$VIEW/$count/below"
  kept=0
  while IFS= read -r mounted; do
    kept=$((kept + 1))
    # A mount point whose name has odd characters is written escaped; leave those to themselves.
    if [ -d "$mounted" ]; then mkdir "$VIEW/$count/keep/$kept"; else : >"$VIEW/$count/keep/$kept"; fi
    mount --bind -- "$mounted" "$VIEW/$count/keep/$kept" 2>/dev/null || :
  done <"$VIEW/$count/below"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$VIEW/$count/upper,workdir=$VIEW/$count/work" "$1" || return 1
  kept=0
  while IFS= read -r mounted; do
    kept=$((kept + 1))
    mount --bind -- "$VIEW/$count/keep/$kept" "$mounted" 2>/dev/null || :
  done <"$VIEW/$count/below"
}

# all_tops: what validators see a copy of, whether or not files are staged there.
all_tops() {
  if [ "$SCOPE" = user ]; then
    realpath -m -- "$HOME/.config" "$HOME/.local/lib/hearth" "$STATE"
  else
    printf '%s\n' /etc /home /opt /root /srv /usr /var
  fi
}

# top_of PATH: the directory whose overlay shows PATH: its file system's mount point, or below the root (scope user: what is shown of
# the home) the top directory. A directory that no validator of a user is shown ends with `/`.
top_of() {
  set -- "$(realpath -m -- "${1%/*}")"
  parent=$1
  while [ ! -d "$parent" ]; do parent=${parent%/*}; done
  mounted=$(stat -c %m -- "${parent:-/}")
  if [ "$SCOPE" = user ]; then
    all_tops | awk -v path="$1/" -v mounted="$mounted" '
      index(path, $0 "/") == 1 { print index(mounted, $0 "/") == 1 ? mounted : $0; found = 1; exit }
      END { if (!found) print path }'
  elif [ "$mounted" = / ]; then
    top=${1#/}
    printf '/%s\n' "${top%%/*}"
  else
    printf '%s\n' "$mounted"
  fi
}

read_meta
cd /
PLAN=$DIR/plan
[ "$2" != - ] || PLAN=/dev/null
VIEW=/run/hearth-view
tried=/etc
if [ "$SCOPE" = user ]; then VIEW=$XDG_RUNTIME_DIR/hearth-view tried=$(realpath -- "$STATE"); fi
mkdir -p -m 0700 "$VIEW"
mount -t tmpfs -o mode=0700 hearth "$VIEW" || cannot "a file system in memory could not be mounted"
count=0
{ printf '%s\n' "$tried" && while IFS=$TAB read -r _ _ path; do top_of "$path"; done <"$PLAN"; } | sort -u >"$VIEW/touched"
all_tops | sort -u - "$VIEW/touched" >"$VIEW/tops"
while IFS= read -r top; do
  case $top in */) cannot "validators cannot be shown files in $top: those of a user belong below $HOME/.config or $HOME/.local/lib/hearth" ;; esac
  if [ ! -d "$top" ] || [ -L "$top" ]; then continue; fi
  overlay "$top" 2>"$VIEW/error" || {
    # Only what holds staged files must be an overlay; the rest is for keeping a validator's own writes apart.
    if grep -q -x -F -e "$top" "$VIEW/touched"; then
      cannot "this host cannot put an overlay over $top, which validation needs: $(cat "$VIEW/error")"
    fi
  }
done <"$VIEW/tops"
[ "$2" != - ] || exit 0
while IFS=$TAB read -r verb staged path; do
  take_away "$path" || cannot "$path could not be shown to validators"
  [ "$verb" = remove ] || put_copy "$(plan_source "$verb" "$staged")" "$path" || cannot "$path could not be shown to validators"
done <"$PLAN"
if [ "$5" = 1 ] && command -v ip >/dev/null; then ip link set lo up || :; fi
status=0
run_argv "$3" "$4" "$REQUEST/argv/validator.$2" || status=$?
exit "$status"
