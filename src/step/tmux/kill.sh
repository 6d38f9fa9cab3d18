# Ends the session. What has ended is done, and what it left goes too.
find_job
if has_pane; then
  left=$(end_job) || { printf '%s\n' "left=$left"; exit $not_ended; }
elif [ "$mine" ] && [ "$job" ]; then
  by=
  { read -r by <"$d/replaced"; } 2>/dev/null
  printf '%s\n' over "replaced=$by"
else
  if command -v tmux >/dev/null 2>&1 && tmux has-session -t "$t" 2>/dev/null; then
    job=
    tmux kill-session -t "$t" || exit $not_ended
  else
    printf '%s\n' over
  fi
fi
[ -z "$job" ] || judge "$d"
if [ "$job" ] && [ "$st" != running ]; then
  rm -rf "$d"
  for f in "$names"/*; do
    { read -r l <"$f" && [ "$l" = "$job" ] && rm -f "$f"; } 2>/dev/null
  done
  rmdir "$names" 2>/dev/null
fi
exit 0
