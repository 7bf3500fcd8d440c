#!/bin/sh
# `there` when a tailscaled is on this host, however it came. Changes nothing.
set -eu
if command -v tailscaled >/dev/null; then echo there; fi
