# What is to be replaced ($DIR/plan) and the new files, ready with owner and mode ($DIR/stage).
# A plan row: `put STAGED PATH`, `remove - PATH`, or `original SAVED PATH` (give back the file that was there before Hearth).
# shellcheck shell=sh

stage() {
  mkdir -p -m 0700 -- "$DIR/stage" "$DIR/undo"
  : >"$DIR/plan"
  stage_files
  stage_given
  plan_container_secrets
  plan_removals
  while IFS=$TAB read -r verb _ path; do
    if [ "$verb" = put ]; then make_parents "$path"; fi
    changed "$path"
  done <"$DIR/plan"
}

# Files whose content, mode or owner on the host is not the wanted one.
stage_files() {
  awk -F'\t' 'T == 1 { have[$1] = $2 FS $3 FS $4 FS $5 FS $7; next } have[$2] != "f" FS $3 FS $4 FS $5 FS $6' \
    T=1 "$WORK/scan" T=2 "$(table files)" >"$WORK/files"
  while IFS=$TAB read -r index path mode owner group sum; do
    content=$REQUEST/content/$index
    [ -f "$content" ] || fail "the request has no content for $path"
    found=$(sha256sum <"$content")
    [ "${found%% *}" = "$sum" ] || fail "the content of $path was damaged on its way (sha256 ${found%% *}, expected $sum)"
    if is_filled "$path"; then
      fill_file "$index" "$path" "$mode" "$owner" "$group" "$sum"
      row put "file.$index" "$path" >>"$DIR/plan"
      continue
    fi
    run "$DIR/output" install -m "$mode" -o "$owner" -g "$group" -- "$content" "$DIR/stage/file.$index" ||
      fail "$path could not be staged as $mode $owner:$group" "$DIR/output"
    row put "file.$index" "$path" >>"$DIR/plan"
  done <"$WORK/files"
}

# Secrets given by the operator: replaced only when the host's file is another one.
stage_given() {
  while IFS=$TAB read -r index path mode owner group kind detail _; do
    [ "$kind" = given ] || continue
    if awk -F'\t' -v path="$path" -v mark="$detail" '$1 == path && $5 == mark { found = 1 } END { exit !found }' "$WORK/secrets"; then
      repair_access "$path" "$mode" "$owner" "$group"
      continue
    fi
    given=$REQUEST/given/$index
    [ -f "$given" ] || fail "secret $path is not on the host and its value was not sent"
    [ "$(fingerprint "$(printf '%s\n' "$detail" | salt_of)" "$given")" = "$detail" ] || fail "the value sent for secret $path is not the one the plan was made with"
    make_private "$DIR/stage/secret.$index" "$mode" "$owner" "$group"
    cat -- "$given" >"$DIR/stage/secret.$index"
    row put "secret.$index" "$path" >>"$DIR/plan"
  done <"$(table secrets)"
}

# What the last apply put there and this one does not want any more. Secrets are data: they stay.
plan_removals() {
  [ -f "$OWN/manifest" ] || return 0
  touch -- "$OWN/originals"
  awk -F'\t' -v OFS='\t' '
    T == "originals" { saved[$2] = $1; next }
    T == "files" || T == "secrets" { keep[$2] = 1; next }
    T == "scan" { there[$1] = 1; next }
    $1 == "file" && !($2 in keep) {
      if ($2 in saved) print "original", saved[$2], $2
      else if ($2 in there) print "remove", "-", $2
    }
  ' T=originals "$OWN/originals" T=files "$(table files)" T=secrets "$(table secrets)" T=scan "$WORK/scan" \
    T=record "$OWN/manifest" >>"$DIR/plan"
}

# plan_source VERB STAGED: the file to put there.
plan_source() {
  case $1 in
    put) printf '%s\n' "$DIR/stage/$2" ;;
    original) printf '%s\n' "$OWN/original/$2" ;;
  esac
}

# plan_touches_units FILE COLUMN: do the paths of that column have unit files among them?
plan_touches_units() {
  cut -f "$2" -- "$1" | grep -q -E '/(systemd/(system|user)|containers/systemd)/'
}
