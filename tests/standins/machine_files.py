"""What stands on the disk of a rented machine."""

SSHD_CONFIG = """\
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin yes
StrictModes no
PrintMotd no
X11Forwarding yes
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
LogLevel VERBOSE
PidFile /run/sshd.pid
"""

# What images put into ~/.bashrc, by name.
BASHRC = {
    "auto-tmux": """
if [ -t 0 ] && [ -z "${TMUX-}" ] && [ ! -e ~/.no_auto_tmux ]; then
  tmux attach-session -t ssh_tmux || tmux new-session -s ssh_tmux
  exit
fi
""",
    # As some images do it: commands without a terminal run into it, too.
    "auto-tmux-always": """
if [ -z "${TMUX-}" ] && [ ! -e ~/.no_auto_tmux ]; then
  tmux attach-session -t ssh_tmux || tmux new-session -s ssh_tmux
  exit
fi
""",
    "noisy": """
printf '\\033[1;32mWelcome to your GPU!\\033[0m\\nmotd: 3 updates, \\xff\\xfe, no newline'
echo 'nvm: cannot find a default node' >&2
mkdir -p /workspace && cd /workspace
""",
}

NVIDIA_SMI = r"""#!/bin/sh
# Answers as the driver's program does, for the GPUs of this machine.
gpus={gpus}
trouble={trouble}
if [ -n "$trouble" ]; then printf '%s\n' "$trouble"; exit {code}; fi
fields= units=yes header=yes
for word in "$@"; do
  case $word in
    --query-gpu=*) fields=${{word#*=}} ;;
    --format=*)
      case ,${{word#*=}}, in *,nounits,*) units= ;; esac
      case ,${{word#*=}}, in *,noheader,*) header= ;; esac ;;
    --query-compute-apps=*) exit 0 ;;
    -L) fields=list ;;
    *) echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help."; exit 1 ;;
  esac
done
[ -n "$gpus" ] || {{ echo 'No devices were found'; exit 6; }}
printf '%s\n' "$gpus" | awk -F '\t' -v fields="$fields" -v units="$units" -v header="$header" '
BEGIN {{
  count = split(fields, asked, ",")
  if (header && count && fields != "list") {{ print fields }}
  if (!count) {{ print "| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4 |" }}
}}
{{
  uuid = sprintf("GPU-%08d-0000-4000-8000-000000000000", NR)
  if (fields == "list") {{ printf "GPU %d: %s (UUID: %s)\n", NR - 1, $1, uuid; next }}
  if (!count) {{ printf "| %d  %s  %s MiB  driver %s |\n", NR - 1, $1, $2, $3; next }}
  value["index"] = NR - 1; value["uuid"] = uuid; value["name"] = $1; value["gpu_name"] = $1
  value["driver_version"] = $3; value["count"] = NR
  value["memory.total"] = $2 (units ? " MiB" : ""); value["memory.used"] = 1 (units ? " MiB" : "")
  value["memory.free"] = $2 - 1 (units ? " MiB" : ""); value["utilization.gpu"] = 0 (units ? " %" : "")
  value["temperature.gpu"] = 35
  line = ""
  for (i = 1; i <= count; i++) {{
    if (!(asked[i] in value)) {{ printf "Field \"%s\" is not a valid field to query.\n", asked[i]; exit 2 }}
    line = line (i > 1 ? ", " : "") value[asked[i]]
  }}
  print line
}}'
"""
