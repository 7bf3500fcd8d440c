# Container images and Podman secrets of the login user (scope `user`). A secret's value never leaves the host and is on no
# command line: Podman reads it from a file in memory or in the transaction's own directory, and prints it into a digest.
# shellcheck shell=sh

has_podman() { command -v podman >/dev/null; }

# Refuses, before anything is changed, what needs Podman where there is none.
check_podman() {
  if [ ! -s "$(table images)" ] && [ ! -s "$(table container-secrets)" ]; then return 0; fi
  has_podman || refuse_apply podman "Podman is not installed on this host; as root: $(pm_words_install podman uidmap passt)"
}

# scan_images OUT: name, present or absent, of every image of the request.
scan_images() {
  while IFS=$TAB read -r image; do
    if has_podman && podman image exists -- "$image" 2>/dev/null </dev/null; then row "$image" present; else row "$image" absent; fi
  done <"$(table images)" >"$1"
}

# scan_container_secrets OUT: name and fingerprint of every Podman secret of the request that is there.
scan_container_secrets() {
  : >"$1"
  if [ ! -s "$(table container-secrets)" ] || ! has_podman; then return 0; fi
  # One call for all: names that are not there are left out (with a complaint), values come as hex and stay in this pipe.
  cut -f 2 -- "$(table container-secrets)" |
    xargs -r -d '\n' podman secret inspect --showsecret --format '{{.Spec.Name}} {{printf "%X" .SecretData}}' -- 2>/dev/null |
    while read -r name hex; do
      salt=$(awk -F'\t' -v name="$name" '
        T == "record" { if ($1 == "container-secret" && $2 == name) recorded = $3; next }
        $2 == name { salted = $3 == "given" ? $4 : $5 }
        END { print (salted == "-" ? recorded : salted) }
      ' T=record "$recorded" T=want "$(table container-secrets)" | salt_of)
      row "$name" "$(printf '%s' "$hex" | basenc --base16 --decode | fingerprint_of "$salt")" >>"$1"
    done || :
}

# Pulls what is missing: an addition, which stays. What is there is left as it is; no network is needed then.
apply_images() {
  while IFS=$TAB read -r image state; do
    [ "$state" = absent ] || continue
    begin 3 images "pulling image $image (may take minutes)"
    pull "$image" || fail "image $image could not be pulled" "$DIR/output"
    changed "image:$image"
    row did "pulled image $image"
  done <"$WORK/images"
}

# pull IMAGE: it may take long, and nothing is lost when it is stopped, so a cancel is obeyed meanwhile.
pull() {
  timeout -k 30 3600 podman pull --quiet -- "$1" >"$DIR/output" 2>&1 </dev/null &
  pull_pid=$!
  while kill -0 "$pull_pid" 2>/dev/null; do
    if [ -e "$DIR/cancel" ]; then kill "$pull_pid" 2>/dev/null || :; fi
    sleep 0.2
  done
  pull_status=0
  wait "$pull_pid" || pull_status=$?
  obey_cancel
  return "$pull_status"
}

# Secrets that are not there yet, once: an addition, which stays. Those made by a program come last: it may ask for the others.
apply_container_secrets() {
  sort -s -t "$TAB" -k 3,3r -- "$(table container-secrets)" >"$WORK/wanted-secrets"
  while IFS=$TAB read -r index name kind detail _; do
    if cut -f 1 -- "$WORK/container-secrets" | grep -q -x -F -e "$name"; then continue; fi
    begin 6 secrets "making Podman secret $name"
    make_container_secret "$index" "$name" "$kind" "$detail"
    changed "container-secret:$name"
    row did "made Podman secret $name"
  done <"$WORK/wanted-secrets"
}

make_container_secret() {
  # In memory, where a power cut leaves nothing of it.
  made=$XDG_RUNTIME_DIR/hearth-secret.$APPLY
  (umask 077 && : >"$made")
  case $3 in
    random) random_hex "$4" >"$made" ;;
    command)
      run_sent 120 "$REQUEST/argv/container-secret.$1" >"$made" 2>"$DIR/output" || {
        rm -f -- "$made"
        fail "the program that makes Podman secret $2 failed" "$DIR/output"
      }
      ;;
    given)
      check_given_container_secret "$1" "$2" "$4"
      cat -- "$REQUEST/container-given/$1" >"$made"
      ;;
    *) fail "Podman secret $2 has the unknown kind '$3'" ;;
  esac
  [ -s "$made" ] || {
    rm -f -- "$made"
    fail "the program that makes Podman secret $2 printed nothing"
  }
  store_status=0
  store_container_secret "$2" "$made" || store_status=$?
  rm -f -- "$made"
  [ "$store_status" = 0 ] || fail "Podman secret $2 could not be made" "$DIR/output"
}

# store_container_secret NAME FILE [--replace]: the file driver, whatever the user's configuration says (see docs/decisions).
store_container_secret() {
  guard_secret_store 2>"$DIR/output" || return 1
  store_result=0
  # shellcheck disable=SC2086 # An option or nothing.
  run "$DIR/output" podman secret create --driver file ${3-} -- "$1" "$2" || store_result=1
  # One that failed because there was no room may have cut the file short.
  if [ "$store_result" = 0 ]; then release_secret_store; else mend_secret_store; fi
  return "$store_result"
}

# check_given_container_secret INDEX NAME MARK: is the operator's value there, and is it the one of the plan?
check_given_container_secret() {
  given=$REQUEST/container-given/$1
  [ -f "$given" ] || fail "Podman secret $2 is not on the host and its value was not sent"
  [ "$(fingerprint "$(printf '%s\n' "$3" | salt_of)" "$given")" = "$3" ] ||
    fail "the value sent for Podman secret $2 is not the one the plan was made with"
}

# Given secrets that are there with another value: replaced with the swap, put back on the way back.
plan_container_secrets() {
  awk -F'\t' -v OFS='\t' 'T == 1 { have[$1] = $2; next } $3 == "given" && ($2 in have) && have[$2] != $4 { print $1, $2, $4 }' \
    T=1 "$WORK/container-secrets" T=2 "$(table container-secrets)" >"$DIR/plan-secrets"
  while IFS=$TAB read -r index name mark; do
    check_given_container_secret "$index" "$name" "$mark"
    changed "container-secret:$name"
  done <"$DIR/plan-secrets"
}

keep_container_secrets() {
  [ -s "$DIR/plan-secrets" ] || return 0
  mkdir -p -m 0700 -- "$DIR/undo/secrets"
  while IFS=$TAB read -r index name _; do
    # Podman ends what it prints with a newline of its own.
    podman secret inspect --showsecret --format '{{.SecretData}}' -- "$name" 2>"$DIR/output" </dev/null | head -c -1 >"$DIR/undo/secrets/$index"
    [ -s "$DIR/undo/secrets/$index" ] || fail "the present Podman secret $name could not be kept" "$DIR/output"
  done <"$DIR/plan-secrets"
  write_state "$DIR/undo/container-secrets" <"$DIR/plan-secrets"
}

swap_container_secrets() {
  while IFS=$TAB read -r index name _; do
    store_container_secret "$name" "$REQUEST/container-given/$index" --replace || fail "Podman secret $name could not be replaced" "$DIR/output"
    row did "replaced Podman secret $name"
  done <"$DIR/plan-secrets"
}

# 1 when one could not be put back.
restore_container_secrets() {
  [ -f "$DIR/undo/container-secrets" ] || return 0
  while IFS=$TAB read -r index name _; do
    store_container_secret "$name" "$DIR/undo/secrets/$index" --replace || return 1
  done <"$DIR/undo/container-secrets"
}
