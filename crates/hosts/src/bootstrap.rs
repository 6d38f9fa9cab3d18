//! The one command line that Doppio ever hands to a login shell, and what it answers.
//!
//! It is a constant: nothing of a step, let alone a value, is in it. It announces the process
//! it became, reads a [`Payload`](crate::payload::Payload) from its standard input byte by
//! byte, so that what follows the payload is left for the step, and evaluates it. What a login
//! shell's own files print comes before the announcement and is dropped.

/// What the shell of the bootstrap runs: POSIX, and without a single quote, a backslash before
/// a quote, a newline or an exclamation mark, so that bash, dash, zsh, ksh, fish and csh all
/// pass it on as it stands. `$1` is this text itself, `$2` says that it was run again.
macro_rules! text {
    () => {
        concat!(
            // Dropbear starts commands in its own process group; a group of our own is what
            // makes it possible to stop all that a step started.
            r#"_g=1;[ "$2" ]||kill -0 -$$ 2>/dev/null||{ command -v setsid >/dev/null 2>&1"#,
            r#"&&exec setsid sh -c "$1" sh "$1" s;_g=0;};"#,
            // Neither a trace nor a history may see what the payload assigns.
            r#"{ set +xv;command set +o history;} 2>/dev/null;"#,
            // What every payload needs is said here, for a shell reads a payload byte by byte, each
            // with a system call: `_u` forgets the payload, `_b` chooses the usual interpreter.
            r#"_u(){ unset _N _l _e _c _k _t _g;};"#,
            r#"_b(){ _u;_s=bash _o=--norc;command -v bash >/dev/null 2>&1||_s=sh _o=;};"#,
            // The start time tells the process from a later one with the same number.
            r#"_t=;{ [ -r /proc/$$/stat ]&&read -r _t </proc/$$/stat;} 2>/dev/null;"#,
            r#"echo "doppio:1:$$:$_g:${_t##*) }:";set --;"#,
            r#"_N="$(printf "\n.")";_N="${_N%.}";_e=;_c=;_k=;"#,
            // A line `,` joins what has come so far; without it long frames would take a time
            // that grows with the square of their length.
            r#"while IFS= read -r _l;do case $_l in .) _k=1;break;; ,) _e="$_e$_c";_c=;; "#,
            r#"*) _c="$_c${_l#+}$_N";;esac;done;[ "$_k" ]||exit 97;eval "$_e$_c""#,
        )
    };
}

/// For `sh -c`, where no login shell stands between.
pub(crate) const TEXT: &str = text!();

/// For the `exec` request of a channel.
pub(crate) const COMMAND: &str = concat!(r#"exec sh -c 'eval "$1"' sh '"#, text!(), "'");

const MARK: &[u8] = b"doppio:1:";

/// Bytes that may come before the announcement.
const NOISE_LIMIT: usize = 1 << 20;

/// The process that a bootstrap became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leader {
    /// Its number, which is its group's too if `leads`.
    pub pid: u32,
    /// Whether it leads a process group of its own.
    pub leads: bool,
    /// When it was started, in the kernel's ticks since boot, where `/proc` says it.
    pub start: Option<u64>,
}

/// What has been heard of a bootstrap so far.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    heard: Vec<u8>,
}

/// No announcement in a whole mebibyte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuchNoise;

impl Listener {
    /// Takes what came on standard output; gives the leader as soon as it is announced, with
    /// what followed the announcement.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Result<Option<(Leader, Vec<u8>)>, TooMuchNoise> {
        let seen = self.heard.len().saturating_sub(MARK.len() + 256);
        self.heard.extend_from_slice(bytes);
        let mut from = seen;
        while let Some(at) = find(&self.heard[from..], MARK) {
            let start = from + at + MARK.len();
            let Some(end) = find(&self.heard[start..], b"\n") else { break };
            if let Some(leader) = parse(&self.heard[start..start + end]) {
                return Ok(Some((leader, self.heard.split_off(start + end + 1))));
            }
            from = start;
        }
        if self.heard.len() > NOISE_LIMIT { Err(TooMuchNoise) } else { Ok(None) }
    }

    /// Whether nothing at all has come.
    pub(crate) fn is_silent(&self) -> bool {
        self.heard.is_empty()
    }

    /// The last of what came before an announcement that never came.
    pub(crate) fn noise(&self) -> String {
        let start = self.heard.len().saturating_sub(500);
        String::from_utf8_lossy(&self.heard[start..]).trim().to_owned()
    }
}

/// `PID:LEADS:STATE PPID …:`, the middle being what follows the name in `/proc/PID/stat`.
fn parse(line: &[u8]) -> Option<Leader> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let mut fields = line.strip_suffix(':')?.splitn(3, ':');
    let pid = fields.next()?.parse().ok().filter(|&pid| pid > 1)?;
    let leads = fields.next()? == "1";
    // proc(5): field 22 is the start time; the state, where this text begins, is field 3.
    let start = fields.next()?.split(' ').nth(19).and_then(|field| field.parse().ok());
    Some(Leader { pid, leads, start })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_login_shell_can_pass_the_text_on() {
        assert!(!TEXT.contains(['\'', '\n', '!']));
        assert!(!TEXT.contains("\\\"") && !TEXT.contains("\\\\"));
        assert!(COMMAND.starts_with("exec sh -c 'eval \"$1\"' sh '"));
    }

    #[test]
    fn the_announcement_is_found_behind_noise_and_across_pieces() {
        let mut listener = Listener::default();
        assert_eq!(listener.hear(b"Welcome!\ndoppio:1:$$:\nno newline dop"), Ok(None));
        assert_eq!(
            listener.hear(b"pio:1:4242:1:S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98"),
            Ok(None)
        );
        let (leader, rest) = listener.hear(b"76 2 3:\nrest").unwrap().unwrap();
        assert_eq!(leader, Leader { pid: 4242, leads: true, start: Some(9876) });
        assert_eq!(rest, b"rest");
    }

    #[test]
    fn a_host_without_proc_announces_without_a_start_time() {
        let (leader, _) = Listener::default().hear(b"doppio:1:77:0::\n").unwrap().unwrap();
        assert_eq!(leader, Leader { pid: 77, leads: false, start: None });
    }

    #[test]
    fn process_one_is_never_a_leader() {
        assert_eq!(Listener::default().hear(b"doppio:1:1:1::\n"), Ok(None));
        assert_eq!(Listener::default().hear(b"doppio:1:0:1::\n"), Ok(None));
    }

    #[test]
    fn noise_without_an_end_is_given_up() {
        let mut listener = Listener::default();
        let noise = vec![b'x'; NOISE_LIMIT / 2];
        assert_eq!(listener.hear(&noise), Ok(None));
        assert_eq!(listener.hear(&noise), Ok(None));
        assert_eq!(listener.hear(&noise), Err(TooMuchNoise));
    }
}
