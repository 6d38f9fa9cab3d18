# Makes the folder of job $job with room for its end, and $1, the keeper. `mkdir` of it is what says
# that the job was launched, once.
prepare() {
  d=$jobs/$job
  # Where somebody else could have made it, nothing is kept.
  mkdir -p "$jobs" && [ -O "$jobs" ] && chmod 700 "$jobs" && mkdir "$d" || return
  {
    printf '%-31s\n' '' >"$d/exit" && printf '' >"$d/out" && printf %s "$1" >"$d/keeper" &&
      printf '%s\n' "run=$run" "step=$step" "recipe=$recipe" "hash=$hash" "at=$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        "from=${SSH_CLIENT%% *}" "here=$here" "boot=$boot" "init=$init" >"$d/identity.new" && frame
  } || { discard; return 1; }
}

# Removes what there is of the job.
discard() {
  { read -r f <"$d/frame_in" && rm -rf "$f"; } 2>/dev/null
  rm -rf "$d"
}

# Makes the FIFO that environment and command come through. No byte of them is ever in the file
# system, so it may lie in the folder, but for file systems that have none.
frame() {
  mkfifo "$d/frame" 2>/dev/null || {
    f=$(mktemp -d /dev/shm/doppio-XXXXXXXXXX 2>/dev/null || mktemp -d) && printf '%s\n' "$f" >"$d/frame_in" &&
      mkfifo "$f/frame" && ln -s "$f/frame" "$d/frame"
  }
}

# Passes on what comes on standard input, behind the environment of this shell, its directory and
# its mask for new files. Returns when the command has been started. `is_there` says whether the
# keeper can still come.
hand_over() {
  limit=
  command -v timeout >/dev/null 2>&1 && limit='timeout 20'
  {
    unset TERM TMUX TMUX_PANE SSH_CLIENT SSH_CONNECTION SSH_TTY OLDPWD SHLVL _
    # Bash can't set those of its own a second time.
    export -p | sed '/^\(export\|declare -[a-z]*\) \(SHELLOPTS\|BASHOPTS\|BASH_VERSINFO\|UID\|EUID\|PPID\)=/d'
    printf 'umask %s\nCDPATH= cd -- %s || exit\n' "$umask_was" "'$(pwd | sed "s/'/'\\\\''/g")'"
    cat
  } | $limit sh -c 'cat >"$1"' sh "$d/frame" || return
  n=400
  until [ -e "$d/identity" ]; do
    is_there && [ "$((n -= 1))" -gt 0 ] || { [ -e "$d/identity" ]; return; }
    sleep 0.05 2>/dev/null || { sleep 1; n=$((n - 19)); }
  done
}

# Removes what ended jobs of long ago have left, and names of jobs that are gone.
sweep() {
  for f in "$jobs"/*/; do
    f=${f%/}
    [ "$(find "$f/exit" -mtime "+$kept_days")" ] || continue
    identity "$f" || { rm -rf "$f"; continue; }
    judge "$f"
    case $st in running | elsewhere) ;; *) rm -rf "$f" ;; esac
  done
  for f in "$state"/tmux/*/*; do
    # Another launch is about to write and move it; its folder may still be empty, and stays for that.
    case $f in *.new) continue ;; esac
    read -r l <"$f" && [ -d "$jobs/$l" ] || rm -f "$f"
  done
} 2>/dev/null
