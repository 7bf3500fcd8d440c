# Podman's secret store survives a power cut and a full disk. Its file driver keeps all values in one file and writes it again in
# place, without waiting for the disk: cut off in the middle, it would lose every secret there is, the signing key among them.
# shellcheck shell=sh

secret_store() { printf '%s/secrets\n' "$(podman info --format '{{.Store.GraphRoot}}' 2>/dev/null </dev/null)"; }

# guard_secret_store: a copy on the disk before anything is written. Only the user can enter $STATE and the store.
guard_secret_store() {
  store=$(secret_store)
  [ -d "$store" ] || return 0
  rm -rf -- "$STATE/secret-store.new"
  mkdir -m 0700 -- "$STATE/secret-store.new" &&
    podman secret ls --format '{{.Name}}' </dev/null | sort >"$STATE/secret-store.new/names" &&
    cp -a -- "$store" "$STATE/secret-store.new/store" &&
    sync -f -- "$STATE" &&
    mv -T -- "$STATE/secret-store.new" "$STATE/secret-store"
}

# release_secret_store: what was written is on the disk.
release_secret_store() {
  store=$(secret_store)
  if [ -d "$store" ]; then sync -f -- "$store"; fi
  # At once: half a copy must never pass for one.
  if [ -d "$STATE/secret-store" ]; then mv -T -- "$STATE/secret-store" "$STATE/secret-store.new"; fi
  rm -rf -- "$STATE/secret-store.new"
}

# Whether Podman can still read every secret of the copy. It leaves out what it cannot read, and ends with 0 all the same.
can_read_secrets() {
  # shellcheck disable=SC2094 # Both only read.
  xargs -r -d '\n' podman secret inspect --showsecret --format '{{.Spec.Name}}' -- <"$1" 2>/dev/null | sort | cmp -s - "$1"
}

# mend_secret_store: after a cut, the copy replaces a store that can no longer be read; of one that can, it is
# thrown away, since whatever was stored meanwhile is in there only.
mend_secret_store() {
  rm -rf -- "$STATE/secret-store.new"
  kept=$STATE/secret-store
  [ -d "$kept" ] || return 0
  if [ -d "$kept/store" ] && ! can_read_secrets "$kept/names"; then
    store=$(secret_store)
    # A rename, which needs no room; cut off before it, this runs again.
    rm -rf -- "$store"
    mv -T -- "$kept/store" "$store"
    row note "Podman could not read its secrets any more, a change was cut off while they were written; all that were there before it were put back"
  fi
  release_secret_store
}
