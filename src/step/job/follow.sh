# Prints what the job in folder $job has printed behind byte $from, and goes on until its command is
# over and all of it is printed. The folder's descriptor goes on where the last `cat` was.
d=$jobs/$job
identity "$d" && [ -r "$d/out" ] || exit $gone
exec 3<"$d/out"
# Whoever wanted to know may be gone without a word.
kill -0 "$PPID" 2>/dev/null && reader=$PPID || reader=
tail -c "+$((from + 1))" <&3 || exit
more=25
while :; do
  judge "$d"
  # The recorder may have more to copy when the command is over.
  if [ "$st" != running ]; then ! recorded "$d" && [ "$((more -= 1))" -gt 0 ] || break; fi
  cat <&3 || exit
  if [ "$reader" ] && ! kill -0 "$reader" 2>/dev/null; then exit; fi
  sleep 0.2 2>/dev/null || sleep 1
done
cat <&3
