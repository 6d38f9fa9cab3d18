//! Folders for Doppio's files on a host: the one place that makes them.
//!
//! A name that somebody else could have prepared, or could give to something else afterwards, is
//! never trusted. A folder is made anew under a random name; what was opened is what is looked at,
//! and up to the root nobody but its owner and root can rename what is on the way to it.

use crate::HostError;

/// Shell words for the places where a folder may be, in the order in which they are tried: the
/// user's own memory file system, the one that all share, and the home.
pub(crate) const PARENTS: [&str; 3] =
    [r#""${XDG_RUNTIME_DIR:-/dev/shm}""#, "/dev/shm", r#""$HOME/.doppio/run""#];

/// POSIX shell text that defines `doppio_folder NAME COMMAND`.
///
/// It makes a folder NAME (a [`fresh_name`]) that only its owner can enter, runs COMMAND (one word: a
/// program or a shell function, without arguments) with that folder as the current directory, and
/// prints `memory PATH` or `disk PATH`. It needs `mkdir` and `ls`; standard input is left alone.
/// Where the folder can't be made, is not what it should be, or COMMAND fails (a full file system),
/// it leaves nothing there and tries the next place. With none left it fails. Call it as
/// `f=$(doppio_folder NAME COMMAND)`: the shell itself stays where it is.
///
/// - `$XDG_RUNTIME_DIR` counts if it belongs to the user, nobody else can enter it, and it is a
///   memory file system, be it called what it may.
/// - `/dev/shm` counts if it is a memory file system where nobody can rename the files of others.
/// - `$HOME/.doppio/run` is what remains: whoever can change the home can change its login files.
pub const PRIVATE_FOLDER: &str = r#"doppio_folder(){
for _p in "${XDG_RUNTIME_DIR:-}" /dev/shm "${HOME:+$HOME/.doppio/run}";do
case $_p in /*);;*)continue;;esac
_k=memory
[ "$_p" != "${HOME:-}/.doppio/run" ]||{ _k=disk;(umask 077;command mkdir -p "$_p") 2>/dev/null;}
(umask 077;unset CDPATH
cd -P "$_p" 2>/dev/null||exit 1
if [ "$_k" = memory ];then
[ "$_p" = /dev/shm ]||doppio_own||exit 1
doppio_memory||exit 1
fi
command mkdir "./$1" 2>/dev/null||exit 1
cd -P "./$1"||exit 1
if doppio_own&&{ [ "$_k" = disk ]||doppio_alone;};then
"$2"&&printf '%s %s\n' "$_k" "$(pwd -P)"&&exit 0
cd ..;command rm -rf "./$1"
else cd ..;command rmdir "./$1" 2>/dev/null
fi;exit 1)&&return 0
done;return 1;}
doppio_own(){ [ -O . ]&&case $(LC_ALL=C command ls -ldn .) in drwx--[-S]---*);;*)false;;esac;}
doppio_memory(){ _q=$(pwd -P) _y=;_y=$(LC_ALL=C command stat -f -c %T . 2>/dev/null)||{ _y= _m=
[ ! -r /proc/mounts ]||while read -r _ _d _t _;do
case ${_q%/}/ in "${_d%/}"/*)[ "${#_d}" -lt "${#_m}" ]||_m=$_d _y=$_t;;esac
done </proc/mounts;}
case $_y in tmpfs|ramfs|devtmpfs);;*)false;;esac;}
doppio_alone(){ _o=$(LC_ALL=C command ls -ldn .);_q=$(pwd -P) _a=.. _n=1;_q=${_q%/*}
set -- $_o;_o=$3;set -- ..
while [ "$_q" ];do _a=$_a/.. _n=$((_n+1)) _q=${_q%/*};set -- "$@" "$_a";done
LC_ALL=C command ls -ldn "$@"|(while read -r _m _ _u _;do
case $_u in 0|"$_o");;*)exit 1;;esac
case $_m in d????????[tT]*|d????-??-*);;*)exit 1;;esac
_n=$((_n-1));done;[ "$_n" -eq 0 ]);}
"#;

/// POSIX shell text that defines `doppio_mark`, which makes a file in the current directory, a
/// private folder, that says which process removes it; and `doppio_stale`, which removes the folders
/// beside it whose process is gone without having done so, and says that on standard output: the
/// shell was killed and Doppio too, or the machine went down. It needs `/proc`, and leaves alone what
/// another machine (a shared home) or another container (a shared `/dev/shm`) may still use.
pub(crate) const STALE_FOLDERS: &str = r#"doppio_self(){ _h= _b= _w= _t=
{ read -r _h </proc/sys/kernel/hostname;read -r _b </proc/sys/kernel/random/boot_id;} 2>/dev/null
_w=$(command readlink /proc/$$/ns/pid 2>/dev/null);}
doppio_start(){ _t=;{ read -r _t <"/proc/$1/stat";} 2>/dev/null||return 1
set -- ${_t##*\)};shift 19;_t=$1;}
doppio_mark(){ doppio_self;doppio_start $$;printf '%s %s %s %s %s\n' "$_h" "$_b" "$_w" $$ "$_t" >./.made-by;}
doppio_stale(){ [ -O "$1" ]||[ -k "$1" ]||return 0
doppio_self;[ "$_h" ]&&[ "$_b" ]&&[ "$_w" ]||return 0
for _s in "$1"/doppio-*;do
[ -O "$_s" ]&&[ -f "$_s/.made-by" ]&&read -r _sh _sb _sw _sp _st _ <"$_s/.made-by"||continue
[ "$_sh" = "$_h" ]||continue
if [ "$_sb" = "$_b" ];then
[ "$_sw" = "$_w" ]||continue
doppio_start "$_sp"&&[ "$_t" = "$_st" ]&&continue
fi
command rm -rf "$_s"
if [ -e "$_s" ];then echo "doppio: could not remove what an earlier step has left: $_s"
else echo "doppio: removed what an earlier step had left: $_s";fi
done;}
"#;

/// A name for a folder that nobody can have prepared.
///
/// # Errors
///
/// When the system has no random bytes.
pub fn fresh_name() -> Result<String, HostError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)
        .map_err(|error| HostError::new("no name for a folder could be made").cause(error.to_string()))?;
    Ok(format!("doppio-{}", data_encoding::HEXLOWER.encode(&nonce)))
}
