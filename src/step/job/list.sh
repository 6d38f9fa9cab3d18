# Lists the jobs of this user, one record each, and who uses a GPU. Another machine may have the same home.
PATH=$PATH:/usr/local/nvidia/bin:/usr/local/cuda/bin
for d in "$jobs"/*/; do
  d=${d%/}
  identity "$d" || continue
  judge "$d"
  printf '%s\n' "job=${d##*/}" "run=$i_run" "step=$i_step" "recipe=$i_recipe" "at=$i_at" "state=$st" "end=$end"
  if [ "$st" = ended ]; then
    # Not on every system; the end is known without it.
    date -u -r "$d/exit" +ended=%Y-%m-%dT%H:%M:%SZ
  fi
  if [ "$st" = running ] && read -r l <"/proc/${i_command%% *}/stat"; then
    set -- ${l##*\) }
    printf '%s\n' "pid=${i_command%% *}" "sid=$4"
  fi
  if [ "$i_pane" ]; then
    l=$(tmux display-message -p -t "$i_pane" '#{pane_pid} #{session_name}')
    if [ "${l%% *}" = "${i_pane_pid%% *}" ]; then printf '%s\n' "session=${l#* }"; fi
  fi
done 2>/dev/null
limit=
command -v timeout >/dev/null 2>&1 && limit='timeout 20'
if command -v nvidia-smi >/dev/null 2>&1; then
  $limit nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader,nounits
fi 2>/dev/null | while IFS=', ' read -r p m; do
  { read -r l <"/proc/$p/stat"; } 2>/dev/null || continue
  set -- ${l##*\) }
  printf '%s\n' "gpu=$4 $m"
done
