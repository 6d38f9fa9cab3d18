# Finds the job of session $s of this machine's tmux: the one that run $run has started, else
# whichever came last. Sets `job` and the folder `d`; `mine` says that it is the run's own.
t="=$s"
k=$(printf '%s:%s' "$here" "${TMUX_TMPDIR:-/tmp}" | cksum)
names=$state/tmux/${k%% *}-$slug
find_job() {
  job= mine= d=
  if read -r job <"$names/of-$run"; then mine=1; else read -r job <"$names/last"; fi
  [ "$job" ] && d=$jobs/$job && identity "$d" || job= d=
} 2>/dev/null

# Whether the job's pane is there, its command running or not.
has_pane() {
  [ "$job" ] && [ "$(tmux display-message -p -t "$i_pane" '#{pane_pid}' 2>/dev/null)" = "${i_pane_pid%% *}" ]
}

# Sets p to the pane of the session: that of the job, where there is one.
pane() {
  command -v tmux >/dev/null 2>&1 || exit $no_tmux
  find_job
  if has_pane; then
    p=$i_pane
  elif [ "$mine" ] && [ "$job" ]; then
    replaced
    exit $no_session
  else
    p="$t:"
    tmux has-session -t "$t" 2>/dev/null || exit $no_session
  fi
}

# Ends here if another run has taken the session's name.
replaced() {
  if read -r by <"$d/replaced"; then
    printf '%s\n' "replaced=$by"
    exit $replaced
  fi
} 2>/dev/null

# Ends the session of the job and waits until its processes are gone.
end_job() {
  tmux kill-session -t "$i_pane" || return
  n=200
  while judge "$d"; [ "$st" = running ]; do
    if [ "$((n -= 1))" -eq 40 ]; then
      # The keeper too, and all that the command has started in its terminal.
      alive "$i_command" && kill -KILL "${i_command%% *}" ${g:+"-$g"}
    elif [ "$n" -lt 0 ]; then
      printf '%s\n' "${i_command%% *}"
      return 1
    fi
    sleep 0.05 || { sleep 1; n=$((n - 19)); }
  done
} 2>/dev/null
