# Sets z, b and g to the state, the start time and the group of process $1.
born() {
  z= b= g=
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  if [ -r /proc/self/stat ]; then
    read -r l <"/proc/$1/stat" || return
    set -- ${l##*\) }
    z=$1 b=${20} g=$3
  else
    set -- $(ps -o stat= -o lstart= -p "$1")
    [ $# -gt 1 ] || return
    z=$1
    shift
    b=$*
  fi
} 2>/dev/null
