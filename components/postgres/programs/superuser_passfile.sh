#!/bin/sh
# Prints a libpq password file for the superuser of a server in a container: `superuser_passfile.sh SECRET`, the name of a Podman secret.
set -eu
password=$(podman secret inspect --showsecret --format '{{.SecretData}}' "$1")
printf '*:*:*:postgres:%s\n' "$password"
