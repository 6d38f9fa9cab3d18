this=$run
command -v tmux >/dev/null 2>&1 || exit $no_tmux
[ -d "${state%/doppio}" ] || [ -d "$HOME" ] || exit $no_state
if tmux has-session -t "$t" 2>/dev/null; then
  run=-
  find_job
  st=
  if has_pane; then judge "$d"; else job= d=; fi
  # A pane that shows the end of its command (`remain-on-exit`) is in nobody's way.
  if [ "$st" = ended ] && [ "$(tmux list-panes -s -t "$t" | wc -l)" -eq 1 ]; then
    tmux kill-session -t "$i_pane"
  else
    case $if_exists in
    error) exit $exists ;;
    reuse)
      if [ "$job" ]; then
        printf '%s\n' reused "run=$i_run" "step=$i_step" "recipe=$i_recipe" "hash=$i_hash" "at=$i_at" "from=$i_from"
        # From now on it is this run's too.
        printf '%s\n' "$job" >"$names/of-$this.new" && mv "$names/of-$this.new" "$names/of-$this"
      else
        printf '%s\n' reused
      fi
      exit
      ;;
    replace)
      if [ "$job" ]; then
        printf '%s\n' "$this" >"$d/replaced"
        left=$(end_job) || { printf '%s\n' "left=$left"; exit $not_ended; }
      else
        tmux kill-session -t "$t" || exit $not_started
      fi
      ;;
    esac
  fi
fi
run=$this job=$new
if [ "$log" ]; then
  case $log in /*) ;; *) log=$PWD/$log ;; esac
  (umask "$umask_was" && printf '' >>"$log") || exit $no_log
fi
sweep
mkdir -p "$names" && prepare "$keeper" || exit $no_state
[ -z "$log" ] || printf %s "$log" >"$d/log" || { discard; exit $no_state; }
user=$(id -un)
# A server that is born here gets a clean environment and the user's own mask for new files.
made=$(
  umask "$umask_was"
  exec env -i HOME="$HOME" PATH="$PATH" SHELL="${SHELL:-/bin/sh}" USER="$user" LOGNAME="$user" TERM="${TERM:-xterm-256color}" \
    ${LANG:+LANG="$LANG"} ${LC_ALL:+LC_ALL="$LC_ALL"} ${LC_CTYPE:+LC_CTYPE="$LC_CTYPE"} ${TMUX_TMPDIR:+TMUX_TMPDIR="$TMUX_TMPDIR"} \
    ${XDG_STATE_HOME:+XDG_STATE_HOME="$XDG_STATE_HOME"} \
    tmux new-session -d -P -F '#{pane_id} #{session_name}' -s "$s" -x 200 -y 50 sh "$d/keeper" pane \; \
    set-option -t "$t:" destroy-unattached off
) || { discard; exit $not_started; }
p=${made%% *}
undo() {
  trap '' TERM
  if identity "$d"; then end_job >/dev/null; else tmux kill-session -t "$p" 2>/dev/null; fi
  discard
  exit "$1"
}
# Told to stop, it takes back what it has started: a session must not outlive `cancelled`.
trap 'undo $not_started' TERM
[ "${made#* }" = "$s" ] || undo $bad_name
is_there() { tmux display-message -p -t "$p" '#{pane_id}' 2>/dev/null | grep -q .; }
# Before the command starts: it may fill the disk, or be told to stop.
for f in last "of-$run"; do
  printf '%s\n' "$job" >"$names/$f.new" && mv "$names/$f.new" "$names/$f" || undo $no_state
done
hand_over || undo $not_started
