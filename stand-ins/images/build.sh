#!/bin/sh
# Builds the images into the store of the user it runs as, who has sudo: in a temporary sandbox host, in a copy of this
# directory with the program caddy/caddy. Arguments: DIRECTORY=IMAGE..., the newest Synapse first.
set -eu
cd "$(dirname "$0")"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

# Documentation and translations are not installed, as in Debian's own slim images.
sudo mmdebstrap --quiet --mode=root --variant=apt --include=ca-certificates,passwd \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' "$suite" base/rootfs.tar
cp -r /usr/local/share/ca-certificates base/authorities

# Docker's format is the only one that keeps a health check.
build() {
  podman build --quiet --format=docker --network=host --layers "$@" >/dev/null
}
build --tag localhost/hearth-stand-in-base base
newest=
for image in "$@"; do
  directory=${image%%=*} name=${image#*=}
  version=${name##*:}
  set -- --tag "$name"
  if [ "$directory" = synapse ]; then
    newest=${newest:-${version#v}}
    set -- "$@" --build-arg "VERSION=${version#v}" --build-arg "NEWEST=$newest"
  fi
  echo "building $name" >&2
  build "$@" "$directory"
done
# Remove the traces of the build: a store that only pulled images has none.
images=$(podman images --format '{{.Repository}}:{{.Tag}}' --filter 'reference=*:*[0-9]')
# shellcheck disable=SC2086 # One word each.
podman save --quiet --multi-image-archive --output images.tar $images
podman system reset --force >/dev/null 2>&1
podman load --quiet --input images.tar >/dev/null
