#!/bin/sh
# real-kubernetes.sh DIR: makes what a real kube-apiserver on 127.0.0.1 needs: a CA (ca.crt), its
# certificate, the keys of service accounts, and two users, the tokens `admin` and `reader`.
set -eu
cd "$1"
exec 2>openssl.log
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.crt
openssl req -newkey rsa:2048 -nodes -subj /CN=kube-apiserver -keyout tls.key -out tls.csr
printf 'subjectAltName=IP:127.0.0.1,DNS:kubernetes,DNS:localhost\n' >ext
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out tls.crt
openssl genrsa -out sa.key 2048
openssl rsa -in sa.key -pubout -out sa.pub
printf 'admin,admin,1,"system:masters"\nreader,reader,2\n' >tokens.csv
