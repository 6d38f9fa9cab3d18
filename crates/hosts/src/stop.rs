//! Ending a process group, and saying what of it still exists.

use std::time::Duration;

use crate::CleanupReport;
use crate::Stopped;
use crate::bootstrap::Leader;
use crate::private_folder::PARENTS;

/// How long KILL may take to have an effect, in hundredths of a second.
const AFTER_KILL: u32 = 200;

/// The script's exit code where it can't know which processes belong to the one that it stops: the
/// host has neither `/proc` nor `ps` to look with, and had no `setsid` to put them into one group.
pub(crate) const BLIND: i32 = 3;

/// The line that says that the script ran to its end; survivors come before it.
const DONE: &str = "doppio:stopped";

/// The line that says that nothing ran any more at the first look.
const OVER: &str = "doppio:over";

/// POSIX text that sends TERM to the group, then KILL after the grace, and prints `PID NAME`
/// for each process that survived. It looks at the session too: a script with job control
/// gives its jobs groups of their own. And it follows children into sessions of their own
/// (`setsid`), where there is `/proc`: down from the leader by their parents, before anything is
/// signalled, and then by number and start time. Whose parent was gone before is not found.
pub(crate) fn script(leader: &Leader, folder: Option<&str>, grace: Duration) -> String {
    let pid = leader.pid;
    let start = leader.start.map(|start| start.to_string()).unwrap_or_default();
    // The host's clock counts, not looks: each look costs more the more processes there are.
    let grace = grace.as_millis().div_ceil(10);
    let group = if leader.leads { "-" } else { "" };
    let remove = folder.map_or_else(String::new, |name| {
        let paths = PARENTS.map(|base| format!("{base}/{name}")).join(" ");
        format!("rm -rf {paths}\n")
    });
    // The process with the leader's number is another one if it started at another time; then
    // the group is gone, for a number is not given away while a group bears it, and `w` is empty.
    // `k` holds the members as ` NUMBER:START `, `o` those of the look before.
    format!(
        r#"p={pid} s={start}
fields() {{ read -r l <"$1/stat" || return 1; n=${{l#*\(}}; n=${{n%\)*}}; set -- ${{l##*\) }}; z=$1 f=$2 g=$3 e=$4 b=${{20}}; }} 2>/dev/null
k=' ' w=$p blind=
members() {{ m=
  if [ -r /proc/self/stat ]; then
    if [ "$s" ] && fields /proc/$p && [ "$b" != "$s" ]; then w=; fi
    o=$k k=' ' more=1
    while [ "$more" ]; do more=
      for d in /proc/[0-9]*; do a=${{d#/proc/}}
        case $k in *" $a:"*) continue;; esac
        fields "$d" || continue
        case $z in Z|X|x) continue;; esac
        case $o in *" $a:$b "*) ;; *)
          if [ "$w" ] && {{ [ "$g" = "$w" ] || [ "$e" = "$w" ] || [ "$a" = "$w" ]; }}; then :; else
            case $k in *" $f:"*) ;; *) continue;; esac
          fi;;
        esac
        more=1 k="$k$a:$b " m="$m$a $n
"
      done
    done
  elif l=$(ps -A -o pid= -o pgid= -o stat= -o comm= 2>/dev/null) && [ "$l" ]; then
    m=$(printf '%s\n' "$l" | while read -r a g z n; do
      case $z in Z*) continue;; esac
      if [ "$g" = $p ] || [ "$a" = $p ]; then printf '%s %s\n' "$a" "$n"; fi
    done)
  else
    # Without a look, a signal that arrives is what shows that something is there.
    blind=1; kill -0 {group}$p 2>/dev/null && m="$p its-name-is-not-known
"
  fi
}}
end() {{ members; [ "$m" ] || return 0
  [ "$w" ] && kill -$1 {group}$p 2>/dev/null
  printf '%s\n' "$m" | while read -r a n; do
    [ "${{a:-0}}" -gt 1 ] || continue
    g=; fields "/proc/$a" && case $k in *" $a:$b "*) ;; *) continue;; esac
    # What the group's signal has reached gets no second one: a trap would run twice.
    [ "$a" = "$w" ] || [ "{group}$g" = "-$w" ] || kill -$1 "$a" 2>/dev/null
    # One that is stopped takes notice only when it goes on.
    kill -CONT "$a" 2>/dev/null
  done; }}
clock() {{ if read -r c _ </proc/uptime; then c=${{c%.*}}${{c#*.}}; else c=$(date +%s)00; fi; }} 2>/dev/null
alive() {{ members; [ "$m" ]; }}
# A line a look: a server that ends idle channels must not take this one for idle.
gone() {{ clock; u=$((c + $1)); while alive; do echo; clock; [ "$c" -lt "$u" ] || return; sleep 0.05 2>/dev/null || sleep 1; done; }}
members; [ "$m" ] || echo {OVER}
end TERM
gone {grace} || {{ end KILL; gone {AFTER_KILL}; }}
{remove}alive && printf '%s\n' "$m"
[ -z "$blind" ] || [ "{group}" ] || exit {BLIND}
echo {DONE}
"#
    )
}

/// The line that says that the look for files ran to its end.
const SWEPT: &str = "doppio:swept";

/// POSIX text that removes the folder of a payload's files wherever it may be, and prints `gone` for
/// one that was there, or `left PATH` where it still is.
pub(crate) fn sweep(folder: &str) -> String {
    let paths = PARENTS.map(|base| format!("{base}/{folder}")).join(" ");
    format!(
        "for d in {paths}; do\n[ \"$d\" != \"$o\" ] || continue\no=$d\n[ -e \"$d\" ] || [ -L \"$d\" ] || continue\nrm -rf \"$d\"\n\
         if [ -e \"$d\" ]; then printf 'left %s\\n' \"$d\"; else echo gone; fi\ndone\necho {SWEPT}\n"
    )
}

/// What that text found; none if it did not run to its end. What the host prints besides, and may want
/// a user to remove, is left out.
pub(crate) fn parse_sweep(output: &[u8], folder: &str) -> Option<CleanupReport> {
    let text = String::from_utf8_lossy(output);
    let lines = text.trim_end().strip_suffix(SWEPT)?;
    let is_ours = |path: &&str| path.starts_with('/') && path.rsplit('/').next() == Some(folder);
    let left = lines.lines().filter_map(|line| line.strip_prefix("left ")).filter(is_ours);
    let left = left.map(str::to_owned).collect();
    Some(CleanupReport { was_there: !lines.trim().is_empty(), left })
}

/// What the script found; none if it did not run to its end.
pub(crate) fn parse(output: &[u8]) -> Option<Stopped> {
    let text = String::from_utf8_lossy(output);
    let lines = text.trim_end().strip_suffix(DONE)?;
    let was_over = lines.lines().any(|line| line == OVER);
    let survivors = lines.lines().filter(|line| !line.is_empty() && *line != OVER).map(str::to_owned);
    Some(Stopped { survivors: survivors.collect(), was_over })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survivors_are_the_lines_before_the_end() {
        assert_eq!(parse(b"doppio:stopped\n"), Some(Stopped::default()));
        let survivors = vec!["12 a b".to_owned(), "13 c".to_owned()];
        assert_eq!(parse(b"12 a b\n13 c\ndoppio:stopped\n"), Some(Stopped { survivors, was_over: false }));
        let over = Stopped { survivors: Vec::new(), was_over: true };
        assert_eq!(parse(b"doppio:over\ndoppio:stopped\n"), Some(over));
        assert_eq!(parse(b"12 a b\n"), None);
    }

    #[test]
    fn a_sweep_says_what_is_left() {
        assert_eq!(parse_sweep(b"doppio:swept\n", "doppio-a"), Some(CleanupReport::default()));
        assert_eq!(
            parse_sweep(b"gone\ndoppio:swept\n", "doppio-a"),
            Some(CleanupReport { was_there: true, left: vec![] })
        );
        let left = vec!["/dev/shm/doppio-a".to_owned()];
        assert_eq!(
            parse_sweep(b"left /dev/shm/doppio-a\ndoppio:swept\n", "doppio-a"),
            Some(CleanupReport { was_there: true, left })
        );
        assert_eq!(parse_sweep(b"gone\n", "doppio-a"), None);
        // case A7
        let lies = b"left /\nleft $(id)\nleft doppio-a\nleft /etc\ndoppio:swept\n";
        assert_eq!(parse_sweep(lies, "doppio-a"), Some(CleanupReport { was_there: true, left: vec![] }));
    }

    #[test]
    fn the_script_names_the_process_and_the_grace() {
        let leader = Leader { pid: 4242, leads: true, start: Some(77) };
        let text = script(&leader, Some("doppio-aa"), Duration::from_secs(10));
        assert!(text.starts_with("p=4242 s=77\n"), "{text}");
        assert!(text.contains("gone 1000 ||"), "{text}");
        assert!(
            text.contains("rm -rf \"${XDG_RUNTIME_DIR:-/dev/shm}\"/doppio-aa /dev/shm/doppio-aa"),
            "{text}"
        );
    }
}
