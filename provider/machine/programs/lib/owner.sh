# Root follows nobody: below a directory that a user can change, what is done is done with that user's rights, so that a link
# or a race there gains nothing (docs/decisions/root-follows-nobody.md). Every path of a release goes through `guard`.
# shellcheck shell=sh

# guard PATH: whose rights are the right ones at PATH, in GUARD: `-` our own, for only we can change what leads to it, else the
# owner of the first directory above it that is not root's. 1, with the reason in GUARD_TEXT, if nobody has the rights.
# GUARD_SHARED: everybody may put something into the directory of PATH, but not replace what is another's (as in /tmp).
guard() {
  GUARD=- GUARD_TEXT='' GUARD_SHARED='' GUARD_LINK=${1%/*}
  # Who has no other rights than the own ones cannot be led to anything.
  [ "$SCOPE" = system ] || return 0
  guard_links=16
  while [ -n "$GUARD_LINK" ]; do
    guard_links=$((guard_links - 1))
    [ "$guard_links" -gt 0 ] || guard_refuse "$1 leads through too many links" || return 1
    guard_walk "$GUARD_LINK" || return 1
  done
}

# guard_walk DIRECTORY: looks at it and all above it, without following a link; one of root's goes on in GUARD_LINK.
guard_walk() {
  GUARD=- GUARD_LINK='' guard_dir=$1
  guard_part='' guard_rest=${1#/}
  set -- /
  while [ -n "$guard_rest" ]; do
    guard_part=$guard_part/${guard_rest%%/*}
    case $guard_rest in */*) guard_rest=${guard_rest#*/} ;; *) guard_rest='' ;; esac
    set -- "$@" "$guard_part"
  done
  while IFS=$TAB read -r guard_type guard_mode guard_user guard_group guard_path guard_target; do
    GUARD_SHARED=''
    case $guard_type in
      d) guard_directory || return 1 ;;
      l) guard_link && return 0 || return 1 ;;
    esac
  done <<EOT
$(find "$@" -maxdepth 0 -printf '%y\t%m\t%u\t%g\t%p\t%l\n' 2>/dev/null)
EOT
}

guard_refuse() {
  GUARD_TEXT=$1
  return 1
}

# The next directory on the way down: root's, or from the first that is not root's on that user's.
guard_directory() {
  if [ "$GUARD" = - ] && [ "$guard_user" != root ]; then
    GUARD=$guard_user
    id -- "$GUARD" >/dev/null 2>&1 || guard_refuse "$guard_path belongs to $GUARD, who is no user of this host: give it to root (chown root $guard_path)" || return 1
  elif [ "$guard_user" != root ] && [ "$guard_user" != "$GUARD" ]; then
    guard_refuse "$guard_path belongs to $guard_user, and $GUARD can replace it: give it to one of them" || return 1
  fi
  case $guard_mode in
    [1357]??[2367] | [1357]?[2367]?) GUARD_SHARED=1 ;;
    *[2367]) guard_refuse "everybody can change $guard_path: chmod o-w $guard_path" || return 1 ;;
    *[2367]?) group_is_alone || guard_refuse "group $guard_group can change $guard_path: chmod g-w $guard_path" || return 1 ;;
  esac
}

# Is nobody in the group who may write there but root and the directory's owner, and is nobody named in an access list?
group_is_alone() {
  # shellcheck disable=SC2012  # only ls says whether there is an access list
  case $(ls -ld -- "$guard_path") in ??????????+*) return 1 ;; esac
  { getent group -- "$guard_group"; printf '\n'; getent passwd; } | awk -F: -v user="$guard_user" '
    NR == 1 { gid = $3; n = split($4, member, ","); for (i = 1; i <= n; i++) if (member[i] != "root" && member[i] != user) found = 1; next }
    NF >= 4 && $4 == gid && $1 != "root" && $1 != user { found = 1 }
    END { exit found }
  '
}

# A link is followed when only root could have made it.
guard_link() {
  if [ "$GUARD" != - ] || [ "$guard_user" != root ]; then
    if [ "$GUARD" = - ]; then GUARD=$guard_user; fi
    guard_refuse "$guard_path is a link to $guard_target that user $GUARD could have made: remove it, or mount what it leads to there" || return 1
  fi
  case $guard_target in
    */../* | */.. | ../* | ..) guard_refuse "$guard_path is a link to $guard_target: make it one without '..'" || return 1 ;;
    /*) GUARD_LINK=$guard_target ;;
    *) GUARD_LINK=${guard_path%/*}/$guard_target ;;
  esac
  guard_rest=${guard_dir#"$guard_path"}
  GUARD_LINK=${GUARD_LINK%/}$guard_rest
}

# as_guard COMMAND...: with the rights that `guard` found. A user's process is that user's to stop, to watch and to feed: it gets
# nothing from us but what it reads and writes, and its time is limited.
as_guard() {
  if [ "$GUARD" = - ]; then
    "$@"
  else
    (cd / && exec timeout -k 5 60 setpriv --reuid "$GUARD" --regid "$(id -g -- "$GUARD")" --init-groups --no-new-privs --reset-env -- "$@")
  fi
}

# print_file PATH: its content, for a look at it; after `guard`. No link in its place is followed, nothing is waited for.
print_file() { as_guard dd if="$1" iflag=nofollow,nonblock bs=65536 status=none </dev/null; }

# aside PATH: the name next to it under which its successor waits for the rename.
aside() { printf '%s/.%s.hearth-new\n' "${1%/*}" "${1##*/}"; }

# lay_aside SOURCE PATH: a copy of SOURCE, a file of Hearth, at PATH's name next to it. 1 when that cannot be.
lay_aside() {
  guard "$2" || guard_says || return 1
  lay_new=$(aside "$2")
  as_guard rm -f -- "$lay_new" </dev/null || return 1
  if [ "$GUARD" = - ]; then
    link_or_copy "$1" "$lay_new"
  elif [ -L "$1" ]; then
    as_guard ln -sT -- "$(readlink -- "$1")" "$lay_new" </dev/null
  else
    owned_by_guard "$1" "$2" || return 1
    # shellcheck disable=SC2016,SC2094 # The inner shell expands; nothing here writes to $1.
    as_guard sh -c 'umask 077 && cat >"$3" && chgrp -h -- "$2" "$3" && chmod -- "$1" "$3" && sync -- "$3"' lay \
      "$(stat -c %a -- "$1")" "$(stat -c %G -- "$1")" "$lay_new" <"$1"
  fi
}

# owned_by_guard SOURCE PATH: only what is the user's own comes into a directory that the user can change.
owned_by_guard() {
  lay_owner=$(stat -c %U -- "$1")
  [ "$lay_owner" = "$GUARD" ] || guard_refuse "$2 is $lay_owner's and $GUARD can change what leads to it" || guard_says
}

guard_says() {
  printf '%s\n' "$GUARD_TEXT" >&2
  return 1
}

# put_copy SOURCE PATH: at once, where nobody looks yet.
put_copy() {
  guard "$2" || guard_says || return 1
  if [ "$GUARD" = - ]; then cp -a --remove-destination -- "$1" "$2"; else lay_aside "$1" "$2" && move_in "$2"; fi
}

# take_away PATH: removes a file or a link.
take_away() {
  guard "$1" || guard_says || return 1
  as_guard rm -f -- "$1" </dev/null
}

# set_access PATH MODE OWNER GROUP: of a file or directory that is there. A link in its place is followed only when root made it.
set_access() {
  guard "$1" || guard_says || return 1
  if [ "$GUARD" != - ]; then
    [ "$3" = "$GUARD" ] || guard_refuse "$1 is to be $3's and $GUARD can change what leads to it" || guard_says || return 1
    as_guard chgrp -h -- "$4" "$1" </dev/null && as_guard chmod -- "$2" "$1" </dev/null
  elif [ -n "$GUARD_SHARED" ]; then
    # Root's own is nobody else's to replace until it is given away.
    [ "$(stat -c %U -- "$1")" = root ] || guard_refuse "$1 is not root's, and its owner could replace it meanwhile: remove it" || guard_says || return 1
    [ ! -L "$1" ] && chmod -- "$2" "$1" && chown -h -- "$3:$4" "$1"
  elif [ -L "$1" ]; then
    set_target=$(realpath -e -- "$1") && set_access "$set_target" "$2" "$3" "$4"
  else
    chown -h -- "$3:$4" "$1" && chmod -- "$2" "$1"
  fi
}

# keep_copy PATH COPY: a copy of what is at PATH, in Hearth's own directory. What a user could have put there stays the user's.
keep_copy() {
  guard "$1" || guard_says || return 1
  if [ "$GUARD" = - ]; then
    link_or_copy "$1" "$2"
    return
  fi
  rm -f -- "$2"
  keep_seen=$(as_guard stat -c '%F|%a|%G' -- "$1" </dev/null) || return 1
  keep_mode=${keep_seen#*|} keep_mode=${keep_mode%|*}
  case $keep_seen in
    'symbolic link'*) ln -s -- "$(as_guard readlink -- "$1" </dev/null)" "$2" && chown -h -- "$GUARD" "$2" ;;
    'regular '*)
      (umask 077 && print_file "$1" >"$2") && chown -- "$GUARD:$(group_of_guard "${keep_seen##*|}")" "$2" && chmod -- "$(printf '%s\n' "$keep_mode" | grep -o '[0-7]\{3\}$')" "$2"
      ;;
    *) guard_refuse "$1 is neither a file nor a link" || guard_says ;;
  esac
}

# group_of_guard GROUP: it, when the user is in it: what says the group of a file is that user's process.
group_of_guard() {
  if id -G -n -- "$GUARD" | tr ' ' '\n' | grep -q -x -F -e "$1"; then printf '%s\n' "$1"; else id -g -n -- "$GUARD"; fi
}

# make_directory PATH MODE OWNER GROUP: what leads to it is there.
make_directory() {
  guard "$1" || guard_says || return 1
  as_guard mkdir -m 0700 -- "$1" </dev/null && set_access "$1" "$2" "$3" "$4"
}

# remove_empty PATH: 1 when it has content, or is not Hearth's to remove.
remove_empty() {
  guard "$1" || return 1
  as_guard rmdir -- "$1" </dev/null 2>/dev/null
}
