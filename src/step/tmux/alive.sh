find_job
if [ "$job" ] && { [ "$mine" ] || has_pane; }; then
  judge "$d"
  [ "$st" = running ]
else
  tmux has-session -t "$t" 2>/dev/null
fi
