# Hearth's own records on the host, all below $STATE (0700, the scope's user):
#   lock, owner          who is changing the host now
#   identity             key, value: what this host is, permanently
#   journal              the transaction under way; found after a power cut
#   recover, recovered   what runs at boot when there is a journal, and what it or the end of a killed transaction has to tell
#   apply/<id>/          one transaction: boot, programs and request while it runs, afterwards only its log
#   releases/<name>/     meta (instance, generation, urn), manifest, request/, made, originals, original/N, generations/N/,
#                        deleted (paths that a delete has done with)
# shellcheck shell=sh

# list_owned: release and path of every file and secret that some release owns.
list_owned() {
  for owned_manifest in "$STATE"/releases/*/manifest; do
    [ -f "$owned_manifest" ] || continue
    owned_release=${owned_manifest%/manifest}
    awk -F'\t' -v OFS='\t' -v release="${owned_release##*/}" \
      '$1 == "file" || $1 == "secret" { print release, $2 }' "$owned_manifest"
  done
}

# all_manifests: those of all releases, or nothing.
all_manifests() { find "$STATE/releases" -mindepth 2 -maxdepth 2 -name manifest -exec cat -- {} + 2>/dev/null || :; }

# write_state FILE: standard input becomes FILE at once and for good (a power cut leaves the old or the new one).
write_state() {
  cat >"$1.new"
  sync -- "$1.new"
  mv -f -- "$1.new" "$1"
  sync -- "${1%/*}"
}
