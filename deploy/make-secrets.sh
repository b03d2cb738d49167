#!/bin/sh
# Makes each secret that is not there yet, as a file in ./secrets. Containers read them as other users,
# hence their mode; the folder keeps everybody else out.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
make() {
  if [ -e "secrets/$1" ]; then return; fi
  openssl rand "$2" "$3" >"secrets/$1"
  chmod 444 "secrets/$1"
  echo "Made secrets/$1."
}
make admin-api-key -base64 24
make metrics-token -base64 24
make encryption-keys -hex 32
make redis-password -hex 32
