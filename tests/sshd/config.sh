#!/bin/sh
# config.sh VARIANT: prints the part of an sshd_config that makes the variant.
#
#   stock         as Debian ships it: AcceptEnv LANG LC_* and nothing else
#   accept-env    also takes the names that Doppio asks for
#   few-sessions  two channels a connection
#   throttled     one unfinished login at a time; the next ones are turned away
#   no-login      no way in at all
#   password      passwords only, no keys
set -eu

names='DOPPIO_* HF_TOKEN HUGGING_FACE_HUB_TOKEN WANDB_API_KEY OPENAI_API_KEY ANTHROPIC_API_KEY'
names="$names AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GITHUB_TOKEN GH_TOKEN"
names="$names COMET_API_KEY NEPTUNE_API_TOKEN REPLICATE_API_TOKEN"

case ${1:?usage: config.sh VARIANT} in
  stock) ;;
  accept-env) echo "AcceptEnv $names" ;;
  few-sessions) echo 'MaxSessions 2' ;;
  throttled) echo 'MaxStartups 1:100:1' ;;
  no-login) echo 'PubkeyAuthentication no'; echo 'PasswordAuthentication no' ;;
  password) echo 'PubkeyAuthentication no'; echo 'PasswordAuthentication yes' ;;
  *) echo "config.sh: no variant is called $1" >&2; exit 2 ;;
esac

# sshd keeps the first value it reads, so these stand behind the variant's own.
cat <<'CONFIG'
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
LogLevel VERBOSE
CONFIG
