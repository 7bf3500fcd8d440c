# Writing down what now holds. Until the journal says `recording` a transaction is undone, from then on it is finished.
# shellcheck shell=sh

# Prepares all records in $DIR/record; nothing outside changes.
prepare_record() {
  mkdir -p -m 0700 -- "$DIR/record"
  scan_all
  write_manifest >"$DIR/record/manifest"
  generation=$(value "$OWN/meta" generation)
  generation=${generation:-0}
  if [ -s "$DIR/changed" ] || [ -s "$DIR/undo/touched" ] || ! cmp -s "$DIR/record/manifest" "$OWN/manifest"; then generation=$((generation + 1)); fi
  instance=$(value "$OWN/meta" instance)
  # A Create gets an instance of its own, so that the Delete of whatever it replaces finds that it is too late.
  if [ -z "$instance" ] || [ "$INSTANCE" = - ]; then instance=$(random_hex 16); fi
  {
    row instance "$instance"
    row generation "$generation"
    row urn "$URN"
  } >"$DIR/record/meta"
  awk -F'\t' -v OFS='\t' '!($1 in seen) { seen[$1] = 1; print }' "$(table identity)" \
    "$(if [ -f "$STATE/identity" ]; then printf '%s\n' "$STATE/identity"; else printf '/dev/null\n'; fi)" >"$DIR/record/identity"
  prepare_originals
}

# Which replaced files belonged to nobody ($DIR/record/keep: number of the copy, name of the original, path), and the list of all
# originals as it will be. Decided before anything is committed: once the manifest is there, nobody could tell any more.
prepare_originals() {
  : >"$DIR/record/keep"
  known=$OWN/originals
  # A delete that was cut off has given back what it wrote down, without a manifest everything.
  if [ ! -f "$known" ] || [ ! -f "$OWN/manifest" ]; then known=/dev/null; fi
  gone=$OWN/deleted
  [ -f "$gone" ] || gone=/dev/null
  awk -F'\t' 'T == 1 { gone[$0] = 1; next } !($2 in gone)' T=1 "$gone" T=2 "$known" >"$WORK/known"
  if [ -f "$DIR/undo/files" ]; then
    list_owned >"$WORK/owned"
    # Given secrets are left out: a secret that Hearth replaced is not kept.
    awk -F'\t' '
      T == "gone" { gone[$0] = 1; next } T == "owned" { if (!($2 in gone)) owned[$2] = 1; next }
      T == "originals" || T == "secrets" { owned[$2] = 1; next }
      $1 == "copy" && !($3 in owned) { print $2 "\t" $3 }
    ' T=gone "$gone" T=owned "$WORK/owned" T=originals "$WORK/known" T=secrets "$(table secrets)" T=undo "$DIR/undo/files" >"$WORK/originals"
    while IFS=$TAB read -r number path; do row "$number" "$(random_hex 8)" "$path" >>"$DIR/record/keep"; done <"$WORK/originals"
  fi
  # What was given back is no longer kept.
  awk -F'\t' -v OFS='\t' '
    T == "plan" { if ($1 == "original") back[$3] = 1; next }
    T == "known" { if (!($2 in back)) print; next }
    { print $2, $3 }
  ' T=plan "$DIR/plan" T=known "$WORK/known" T=keep "$DIR/record/keep" >"$DIR/record/originals"
}

# The manifest: what observe compares with to tell changes made by hand, and what the next apply and a delete use.
write_manifest() {
  awk -F'\t' -v OFS='\t' '
    # Tells a release that opens no port from one that an earlier version recorded, which named none.
    BEGIN { print "port", "-", "-" }
    T == "scan" { type[$1] = $2; access[$1] = $3 OFS $4 OFS $5; sum[$1] = $7; next }
    T == "packages" { version[$1] = $2; next }
    T == "units" { kind[$1] = $7; next }
    T == "known" { mark[$1] = $5; next }
    T == "want-files" { print "file", $2, access[$2], sum[$2] }
    T == "want-directories" { print "directory", $1, access[$1] }
    T == "want-secrets" { print "secret", $2, access[$2], mark[$2] }
    T == "images" { print "image", $1 }
    T == "container-secrets" { print "container-secret", $1, $2 }
    T == "want-packages" { print "package", $1, version[$1], $2 }
    T == "want-units" { print "unit", $1, $2, $3, kind[$1] }
    T == "want-revisions" { print "revision", $1, $2 }
    T == "want-ports" { print "port", $1, $4 }
    T == "want-users" { print "user", $1 }
    T == "want-repositories" { print "repository", $1 }
  ' T=scan "$WORK/scan" T=packages "$WORK/packages" T=units "$WORK/units" T=known "$WORK/secrets" T=want-files "$(table files)" \
    T=want-directories "$(table directories)" T=want-secrets "$(table secrets)" \
    T=want-packages "$(table packages)" T=want-units "$(table units)" T=want-revisions "$(table revisions)" \
    T=want-ports "$(table ports)" T=want-users "$(table users)" T=want-repositories "$(table repositories)" T=images "$WORK/images" \
    T=container-secrets "$WORK/container-secrets"
  known_fills | awk -F'\t' -v OFS='\t' 'T == 1 { wanted[$1] = 1; next } ($1 in wanted) && !($1 in seen) { seen[$1] = 1; print "filled", $0 }' T=1 "$(table fills)" T=2 -
  while IFS=$TAB read -r index path python site; do
    row environment "$path" "$(environment_digest "$index" "$python" "$site")"
  done <"$(table environments)"
}

# Puts the prepared records in place; decides nothing. Runs again from the start after a power cut: every step may be done
# already. Manifest and meta come last, when all that they tell of is on the disk.
commit_record() {
  # Replaced secrets are not kept.
  rm -rf -- "$DIR/undo/secrets" "$DIR/undo/container-secrets"
  mkdir -p -m 0700 -- "$OWN/original" "$OWN/generations"
  touch -- "$OWN/made"
  save_originals
  keep_generation
  rm -rf -- "$OWN/request.new"
  mkdir -m 0700 -- "$OWN/request.new"
  for item in units health argv; do
    if [ -e "$REQUEST/$item" ]; then cp -a -- "$REQUEST/$item" "$OWN/request.new/$item"; fi
  done
  rm -rf -- "$OWN/request"
  mv -T -- "$OWN/request.new" "$OWN/request"
  rm -f -- "$OWN/deleted"
  sync -f -- "$OWN"
  write_state "$STATE/identity" <"$DIR/record/identity"
  write_state "$OWN/manifest" <"$DIR/record/manifest"
  write_state "$OWN/meta" <"$DIR/record/meta"
  if [ -f "$DIR/undo/environments" ]; then
    while IFS= read -r path; do rm -rf -- "$path.hearth-$APPLY"; done <"$DIR/undo/environments"
  fi
}

# A file that belonged to nobody when it was first replaced is kept until a delete or a later apply gives it back.
# A link to the copy of the way back: the same file, which has been on the disk for long.
save_originals() {
  while IFS=$TAB read -r number saved path; do
    if ! lexists "$OWN/original/$saved"; then
      rm -f -- "$OWN/original/.new"
      link_or_copy "$DIR/undo/copy/$number" "$OWN/original/.new"
      mv -T -- "$OWN/original/.new" "$OWN/original/$saved"
    fi
    row note "$path belonged to nobody; it was kept and comes back when this release is deleted"
  done <"$DIR/record/keep"
  write_state "$OWN/originals" <"$DIR/record/originals"
}

# The replaced files of the last three changes, for a look back. Replaced secrets, and files filled with them, are not kept.
keep_generation() {
  [ -f "$DIR/undo/files" ] || return 0
  awk -F'\t' 'T == 1 { secret[$2] = 1; next } T == 2 { secret[$0] = 1; next } $3 in secret { print $2 }' \
    T=1 "$(table secrets)" T=2 "$WORK/scan.filled" T=3 "$DIR/undo/files" >"$WORK/replaced-secrets"
  while IFS= read -r number; do rm -f -- "$DIR/undo/copy/${number:?}"; done <"$WORK/replaced-secrets"
  replaced=$(($(value "$DIR/record/meta" generation) - 1))
  rm -rf -- "$OWN/generations/$replaced"
  cp -al -- "$DIR/undo" "$OWN/generations/$replaced"
  # shellcheck disable=SC2012  # names are numbers
  ls -1 -- "$OWN/generations" | sort -rn | tail -n +4 | while IFS= read -r old; do rm -rf -- "$OWN/generations/${old:?}"; done
}

# What the caller keeps: instance, generation, versions, fingerprints, task states.
report_record() {
  row release "$(value "$OWN/meta" instance)" "$(value "$OWN/meta" generation)"
  report_scan | awk -F'\t' '$1 == "package" || $1 == "secret" || $1 == "container-secret"'
  if [ -f "$DIR/published" ]; then cat -- "$DIR/published"; fi
  while IFS=$TAB read -r _ name _ want; do row task "$name" "$want"; done <"$(table tasks)"
}
