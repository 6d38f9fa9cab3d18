# Says what is known of job $job; of the session's where none is given.
if [ "$job" ]; then
  d=$jobs/$job
  identity "$d" || exit $gone
else
  find_job
  if [ -z "$job" ]; then
    command -v tmux >/dev/null 2>&1 || exit $no_tmux
    tmux has-session -t "$t" 2>/dev/null && exit $foreign
    exit $no_session
  fi
fi
judge "$d"
by=
{ read -r by <"$d/replaced"; } 2>/dev/null
printf '%s\n' "job=$job" "state=$st" "end=$end" "replaced=$by" "recorder=$i_recorder" "on=$i_here" "here=$here"
