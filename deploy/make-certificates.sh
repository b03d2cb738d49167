#!/bin/sh
# Makes an authority and certificates for the inner hops, as files in ./certificates, valid for a year:
# again after removing them, then restart Redis, the replicas and the load balancer. Where there is no
# public certificate yet, one for localhost is made, which browsers warn of.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p certificates
cd certificates
if [ ! -e ca.key ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj '/CN=Holdfast inner authority' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -keyout ca.key -out ca.crt 2>/dev/null
fi
certificate() {
  if [ -e "$1.crt" ]; then
    echo "certificates/$1.crt is there already: remove it to have one for $2."
    return
  fi
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
    -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
    -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm "$1.csr" "$1.ext"
  echo "Made certificates/$1.crt for $2."
}
certificate replica "${REPLICA_NAMES:-DNS:replica}"
certificate redis "${REDIS_NAMES:-DNS:redis}"
certificate public "${PUBLIC_NAMES:-DNS:localhost,IP:127.0.0.1}"
# Containers read them as other users; the folder keeps everybody else out.
chmod 444 ./*.crt replica.key redis.key public.key
