# The keeper of a job: parent of its command, which it reaps and whose end it records. It stands in
# the job's folder and holds no value: those come through the FIFO, into the memory of the command's
# own shells only. $1 says which of its parts it is.
#
#   pane      leads the session of the terminal that the job was given, and dies with it
#   inside    the same for the terminal that the recorder makes
#   keep      reads the frame, starts the command, records its end; outlives a hang-up

# Names of our own, for the frame brings the command's whole environment.
_doppio_d=${0%/*}

_doppio_note() {
  born "$2"
  printf '%s=%s %s\n' "$1" "$2" "$b"
}

# Whether there is a program that gives the command a terminal and copies all it shows. The BSDs'
# has other options.
_doppio_records() {
  command -v script && SHELL=/bin/sh script -q -f -c : /dev/null
} </dev/null >/dev/null 2>&1

# The keyboard's signals are for the program. A trap, unlike a signal that is ignored, is not inherited.
trap : INT QUIT TSTP

case $1 in
pane)
  { _doppio_note pane_pid $$; printf 'pane=%s\n' "$TMUX_PANE"; } >>"$_doppio_d/identity.new"
  set -- "$_doppio_d/out"
  if [ -e "$_doppio_d/log" ]; then set -- "$@" "$(cat "$_doppio_d/log")"; fi
  if _doppio_records; then
    # Only the leader of a terminal hears that it is gone. The recorder need not care, so this
    # passes it on to the leader inside.
    (
      trap 'h=1' HUP
      h= i=
      until [ "$h" ]; do sleep 86400 & wait $!; done
      kill $!
      read -r i s <"$_doppio_d/inside"
      born "$i" && [ "$b" = "$s" ] && kill -HUP "$i"
    ) </dev/null >/dev/null 2>&1 &
    leash=$!
    DOPPIO_KEEPER=$0 SHELL=/bin/sh script -q -f -c 'exec sh "$DOPPIO_KEEPER" inside' /dev/null |
      (trap '' HUP INT QUIT TSTP TERM; exec tee -a "$@")
    { kill $leash; wait $leash; } 2>/dev/null
  else
    # tmux can copy as well, but has one pipe for each pane, which the user may have taken.
    if [ "$(tmux display-message -p -t "$TMUX_PANE" '#{pane_pipe}')" != 1 ]; then
      q=
      for f do q="$q '$(printf %s "$f" | sed "s/[%#]/&&/g; s/'/'\\\\''/g")'"; done
      c=$(printf %s "$_doppio_d/closed" | sed "s/[%#]/&&/g; s/'/'\\\\''/g")
      tmux pipe-pane -t "$TMUX_PANE" "tee -a$q >/dev/null; : >'$c'"
      echo recorder=tmux
    else
      echo recorder=none
    fi >>"$_doppio_d/identity.new"
    sh "$0" keep
  fi
  c=
  read -r c _ <"$_doppio_d/exit"
  exit "${c:-1}"
  ;;
inside)
  unset DOPPIO_KEEPER
  born $$
  echo "$$ $b" >"$_doppio_d/inside"
  sh "$0" keep
  ;;
keep)
  _doppio_s=
  trap '_doppio_s="$_doppio_s HUP"' HUP
  trap '_doppio_s="$_doppio_s INT"' INT
  trap '_doppio_s="$_doppio_s QUIT"' QUIT
  trap '_doppio_s="$_doppio_s TERM"' TERM
  _doppio_frame=$(cat "$_doppio_d/frame"; printf .)
  rm -f "$_doppio_d/frame"
  if read -r _doppio_f <"$_doppio_d/frame_in"; then rm -rf "$_doppio_f"; fi 2>/dev/null
  _doppio_go=
  eval "${_doppio_frame%.}"
  unset _doppio_frame
  [ "$_doppio_go" ] || exit
  (_doppio_note keeper $$ >>"$_doppio_d/identity.new") &&
    mv "$_doppio_d/identity.new" "$_doppio_d/identity" || exit
  (
    # Here, for in a further subshell it would be that one's number.
    _doppio_p=$(exec sh -c 'echo $PPID')
    (_doppio_note command "$_doppio_p" >>"$_doppio_d/identity") 2>/dev/null
    unset _doppio_p
    if [ -z "$_doppio_c" ]; then exec "${SHELL:-/bin/sh}"; fi
    if command -v bash >/dev/null 2>&1; then exec bash -c "$_doppio_c"; else exec sh -c "$_doppio_c"; fi
  )
  _doppio_e=$?
  # Above 128 it may be a signal or not: it was one if it has come here too.
  case "$_doppio_e$_doppio_s " in
  129*" HUP "*) _doppio_e="129 HUP" ;;
  130*" INT "*) _doppio_e="130 INT" ;;
  131*" QUIT "*) _doppio_e="131 QUIT" ;;
  143*" TERM "*) _doppio_e="143 TERM" ;;
  esac
  # In place, in room that was reserved at the launch.
  printf %s "$_doppio_e" 1<>"$_doppio_d/exit"
  exit "${_doppio_e%% *}"
  ;;
esac
