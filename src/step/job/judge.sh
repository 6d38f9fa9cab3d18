# What is known of a job: its folder, and whether its processes live.

# Whether a process lives: `NUMBER START`. One that nobody has reaped does not.
alive() {
  born "${1%% *}" && [ "$b" = "${1#* }" ] || return
  case $z in Z* | X* | x*) return 1 ;; esac
}

# Reads who the job in folder $1 is.
identity() {
  i_here= i_boot= i_init= i_pane_pid= i_pane= i_keeper= i_command= i_run= i_step= i_hash= i_from= i_at= i_recipe= i_recorder=
  [ -f "$1/identity" ] || return
  while IFS= read -r l; do
    case $l in
    here=*) i_here=${l#*=} ;;
    boot=*) i_boot=${l#*=} ;;
    init=*) i_init=${l#*=} ;;
    pane_pid=*) i_pane_pid=${l#*=} ;;
    pane=*) i_pane=${l#*=} ;;
    keeper=*) i_keeper=${l#*=} ;;
    command=*) i_command=${l#*=} ;;
    run=*) i_run=${l#*=} ;;
    step=*) i_step=${l#*=} ;;
    hash=*) i_hash=${l#*=} ;;
    from=*) i_from=${l#*=} ;;
    at=*) i_at=${l#*=} ;;
    recipe=*) i_recipe=${l#*=} ;;
    recorder=*) i_recorder=${l#*=} ;;
    esac
  done <"$1/identity"
}

# Whether all that the command has printed is in `out`, once it is over.
recorded() {
  case $i_recorder in
  tmux) [ -e "$1/closed" ] ;;
  *) ! alive "$i_pane_pid" ;;
  esac
}

# Sets `end` to the exit code of the job in folder $1, or `st` to why there is none: it is running,
# or its end is unknown. `identity` comes first.
judge() {
  end= st=unknown
  if [ "$i_here" != "$here" ]; then
    st=elsewhere
  elif [ "$i_boot" != "$boot" ] || [ "$i_init" != "$init" ]; then
    st=restarted
  elif alive "$i_keeper" || alive "$i_command"; then
    st=running
  fi
  # Looked at last: who was alive before may have recorded its end since.
  { read -r end <"$1/exit"; } 2>/dev/null
  if [ "$end" ]; then st=ended; fi
}

umask_was=$(umask)
umask 077
case ${XDG_STATE_HOME:-} in
/*) state=$XDG_STATE_HOME/doppio ;;
*) state=$HOME/.local/state/doppio ;;
esac
jobs=$state/jobs
# What machine this is, and since when it runs: numbers of processes mean nothing elsewhere.
here=$(uname -n) boot= init=
{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
born 1 && init=$b
