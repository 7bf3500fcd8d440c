# Users, directories, environments and secrets: additions that stay even when the transaction fails.
# shellcheck shell=sh

apply_users() {
  while IFS=$TAB read -r name home groups; do
    if ! id -- "$name" >/dev/null 2>&1; then
      begin 4 users "adding user $name"
      run "$DIR/output" useradd --system --user-group --home-dir "$home" --no-create-home --shell /usr/sbin/nologin -- "$name" ||
        fail "user $name could not be added" "$DIR/output"
      row did "added user $name"
    elif [ "$(getent passwd "$name" | cut -d : -f 6)" != "$home" ]; then
      run "$DIR/output" usermod --home "$home" -- "$name" || fail "the home of user $name could not be set to $home" "$DIR/output"
      row did "set the home of user $name to $home"
    fi
    [ "$groups" != - ] || continue
    missing=$(printf '%s\n' "$groups" | tr , '\n' | grep -v -x -F -e "$(id -G -n -- "$name" | tr ' ' '\n')" | paste -s -d , -) || :
    [ -n "$missing" ] || continue
    run "$DIR/output" usermod --append --groups "$missing" -- "$name" || fail "user $name could not join $missing" "$DIR/output"
    row did "user $name joined $missing"
  done <"$(table users)"
}

# make_parents PATH: the directories above PATH, remembered so that a delete can take the empty ones away again.
make_parents() {
  set -- "${1%/*}"
  if [ -z "$1" ] || [ -d "$1" ]; then return 0; fi
  make_parents "$1"
  if ! { guard "$1" || guard_says; } 2>"$DIR/output" || ! as_guard mkdir -- "$1" 2>>"$DIR/output" </dev/null; then
    fail "$1 could not be made" "$DIR/output"
  fi
  printf '%s\n' "$1" >>"$OWN/made"
}

# Makes missing directories. Another mode or owner of one that is there is fixed later, with the swap (it can be undone there).
apply_directories() {
  sort -- "$(table directories)" >"$WORK/directories"
  while IFS=$TAB read -r path mode owner group; do
    [ ! -d "$path" ] || continue
    make_parents "$path"
    run "$DIR/output" make_directory "$path" "$mode" "$owner" "$group" || fail "directory $path could not be made" "$DIR/output"
    printf '%s\n' "$path" >>"$OWN/made"
    changed "$path"
    row did "made directory $path"
  done <"$WORK/directories"
}

# Python environments are built aside and moved into place when they are whole, so what runs keeps its own until then.
apply_environments() {
  while IFS=$TAB read -r index path python site; do
    [ "$(environment_state "$index" "$path" "$python" "$site")" != ready ] || continue
    begin 5 environments "building Python environment $path"
    make_parents "$path"
    build_environment "$index" "$path" "$python" "$site"
    mkdir -p -- "$DIR/undo"
    if [ -f "$path/.hearth-ready" ]; then
      # A complete environment with other requirements is kept aside: services may have to go back to it.
      printf '%s\n' "$path" >>"$DIR/undo/environments"
      sync -- "$DIR/undo/environments" "$DIR/undo"
      mv -T -- "$path" "$path.hearth-$APPLY"
    fi
    rm -rf -- "$path"
    mv -T -- "$path.hearth-build/tree" "$path"
    rm -rf -- "$path.hearth-build"
    # The user that built it may have put a link there.
    rm -f -- "$path/.hearth-holds"
    environment_holds "$path" >"$path/.hearth-holds"
    environment_digest "$index" "$python" "$site" >"$DIR/ready"
    sync -f -- "$path"
    install -m 0644 -- "$DIR/ready" "$path/.hearth-ready"
    changed "environment:$path"
    row did "built Python environment $path"
  done <"$(table environments)"
}

# build_environment INDEX PATH PYTHON SITE: the whole environment in PATH.hearth-build/tree. What the index sends is unpacked and
# looked at by a user that exists only for that and may write nowhere else. An environment cannot be moved, so this user sees the
# tree at its final path already.
build_environment() {
  built=$2.hearth-build
  rm -rf -- "$built"
  mkdir -m 0700 -- "$built" && mkdir -m 0755 -- "$built/in" && mkdir -m 0777 -- "$built/tree" && chmod 0777 -- "$built/tree"
  install -m 0644 -- "$REQUEST/requirements/$1" "$built/in/requirements.txt"
  install -m 0644 -- "$DIR/lib/environment.py" "$built/in/environment.py"
  run "$DIR/output" "$3" -I "$DIR/lib/environment.py" settings "$built/in" || build_failed "$2"
  chmod -R -- go+rX "$built/in"
  cache=$(cat -- "$DIR/output")
  # Where the tree is seen; what is there stays what it is for everybody else.
  if [ ! -d "$2" ] || [ -L "$2" ]; then
    rm -f -- "$2"
    mkdir -- "$2"
  fi
  run "$DIR/output" systemd-run --quiet --wait --pipe --collect --unit="hearth-build-$APPLY" --description="Hearth: environment $2" \
    -p BindsTo="hearth-apply-$APPLY.service" -p After="hearth-apply-$APPLY.service" -p RuntimeMaxSec=3600 \
    -p DynamicUser=yes -p User=hearth-build -p ProtectHome=yes -p PrivateDevices=yes -p CapabilityBoundingSet= -p UMask=0022 \
    -p BindPaths="$built/tree:$2" -p BindReadOnlyPaths="$built/in:/run/hearth-build" ${cache:+-p ReadWritePaths="$cache"} -- \
    "$3" -I /run/hearth-build/environment.py build /run/hearth-build "$2" "$4" || build_failed "$2"
  chown -hR -- root:root "$built/tree"
  chmod -R -- u+rwX,go+rX,go-w,ug-s "$built/tree"
}

# build_failed PATH: fails with the sentence that the build ended with.
build_failed() {
  reason=$(sed -n 's/^hearth: //p' "$DIR/output" | tail -n 1 | redact | one_line)
  if [ "$reason" = - ]; then reason="the build ended without a reason"; fi
  rm -rf -- "$1.hearth-build"
  # Only the empty place that was made for the build.
  rmdir -- "$1" 2>/dev/null || :
  fail "Python environment $1 could not be built: $reason" "$DIR/output"
}

# Secrets made on the host, once. Given ones are swapped in with the files.
apply_secrets() {
  while IFS=$TAB read -r index path mode owner group kind detail _; do
    [ "$kind" != given ] || continue
    if [ -e "$path" ]; then
      repair_access "$path" "$mode" "$owner" "$group"
      continue
    fi
    begin 6 secrets "making secret $path"
    make_parents "$path"
    make_secret "$index" "$path" "$kind" "$detail" "$mode" "$owner" "$group"
    changed "$path"
    row did "made secret $path"
  done <"$(table secrets)"
}

# make_secret INDEX PATH KIND DETAIL MODE OWNER GROUP: in our own directory first, where nobody else can replace it.
make_secret() {
  made=$WORK/secret
  make_private "$made" "$5" "$6" "$7"
  case $3 in
    random) random_hex "$4" >"$made" ;;
    command) run_sent 120 "$REQUEST/argv/secret.$1" >"$made" 2>"$DIR/output" || fail "the program that makes secret $2 failed" "$DIR/output" ;;
    *) fail "secret $2 has the unknown kind '$3'" ;;
  esac
  [ -s "$made" ] || fail "the program that makes secret $2 printed nothing"
  lay_aside "$made" "$2" 2>"$DIR/output" || fail "secret $2 could not be written" "$DIR/output"
  rm -f -- "$made"
  if [ "$GUARD" = - ]; then sync -- "$lay_new"; fi
  as_guard mv -nT -- "$(aside "$2")" "$2" 2>"$DIR/output" </dev/null || fail "secret $2 could not be written" "$DIR/output"
}

# drop_half_secrets: what a cut left of secrets in the making.
drop_half_secrets() {
  while IFS=$TAB read -r _ path _; do take_away "$(aside "$path")" 2>/dev/null || :; done <"$(table secrets)"
}

# make_private FILE MODE OWNER GROUP: an empty file that has its final access before the first byte is written.
make_private() {
  rm -f -- "$1"
  (umask 077 && : >"$1")
  run "$DIR/output" chown -- "$3:$4" "$1" || fail "$1 could not be given to $3:$4" "$DIR/output"
  chmod -- "$2" "$1"
}

# repair_access PATH MODE OWNER GROUP: puts mode and owner right where they differ.
repair_access() {
  have=$(stat -L -c '%04a %U %G' -- "$1")
  [ "$have" != "$2 $3 $4" ] || return 0
  run "$DIR/output" set_access "$1" "$2" "$3" "$4" || fail "$1 could not be set to $2 $3:$4" "$DIR/output"
  changed "$1"
  row did "set $1 to $2 $3:$4"
}
