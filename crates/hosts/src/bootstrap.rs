//! The one command line that Doppio ever hands to a login shell, and what it answers.
//!
//! It is a constant: nothing of a step, let alone a value, is in it. It refuses a terminal, reads
//! the [`Challenge`], and answers it with the process that it became: so it is known, before
//! anything secret is sent, that this shell and nothing else reads what is sent. Then it reads a
//! [`Payload`](crate::payload::Payload) from its standard input byte by byte, so that what follows
//! the payload is left for the step, and evaluates it if it came whole. What a login shell's own
//! files print comes before the announcement and is dropped.

/// What the shell of the bootstrap runs: POSIX, and without a single quote, a backslash before
/// a quote, a newline or an exclamation mark, so that bash, dash, zsh, ksh, fish and csh all
/// pass it on as it stands. `$1` is this text itself, `$2` says that it was run again, and `$3` is
/// the process below which login files have run: its parent if it is not given, none if it is empty.
macro_rules! text {
    () => {
        concat!(
            // Dropbear starts commands in its own process group; a group of our own is what
            // makes it possible to stop all that a step started.
            r#"_g=1;_p=${3-$PPID};[ "$2" ]||kill -0 -$$ 2>/dev/null||{ command -v setsid >/dev/null 2>&1"#,
            r#"&&exec setsid sh -c "$1" sh "$1" s "$_p";_g=0;};"#,
            // Neither a trace nor a history may see what the payload assigns.
            r#"{ set +xv;command set +o history;} 2>/dev/null;"#,
            // A terminal would print what is sent, and change some of its bytes.
            r#"[ -t 0 ]&&{ echo "doppio:terminal:";exit 96;};echo "doppio:here:";"#,
            // What login files left in the background may have this standard input to read from, and
            // would take a part of what is sent. One that is about to close it gets the time for that.
            r#"_q(){ _h=;read -r _s _ </proc/self/stat;for _l in /proc/[0-9]*;do _c=${_l#/proc/};"#,
            r#"[ "$_c" -gt "$_p" ]&&[ "$_c" -ne "$_s" ]||continue;for _e in "$_l"/fd/*;do "#,
            r#"[ "$_e" -ef /proc/self/fd/0 ]||continue;"#,
            r#"while read -r _k _t;do case $_k$_t in flags:*1);;flags:*)_h=$_c;;esac;done <"$_l/fdinfo/${_e##*/}";"#,
            r#"done;done;};[ "$_p" ]&&[ -r /proc/self/stat ]&&{ _q;[ "$_h" ]&&{ sleep 1;_q;};} 2>/dev/null;"#,
            r#"[ "$_h" ]&&{ read -r _c <"/proc/$_h/comm";echo "doppio:shared:$_h $_c:";exit 96;};"#,
            r#"IFS= read -r _n||{ echo "doppio:closed:";exit 97;};_n=${_n##*:};"#,
            // What every payload needs is said here, for a shell reads a payload byte by byte, each
            // with a system call: `_u` forgets the payload, `_b` chooses the usual interpreter, `_x`
            // gives up for a reason, and `_r` says that the script begins.
            r#"_u(){ unset _N _l _e _c _k _t _g _p _h _s;};"#,
            r#"_b(){ _u;_s=bash _o=--norc;command -v bash >/dev/null 2>&1||_s=sh _o=;};"#,
            r#"_x(){ echo "doppio:3:$_n:$1:";exit 96;};_r(){ echo "doppio:3:$_n:run:";unset _n;};"#,
            // The start time tells the process from a later one with the same number.
            r#"_t=;{ [ -r /proc/$$/stat ]&&read -r _t </proc/$$/stat;} 2>/dev/null;"#,
            r#"_t=${_t##*\) };echo "doppio:2:$_n:$$:$_g:$_t:";set --;"#,
            r#"_N="$(printf "\n.")";_N="${_N%.}";_e=;_c=;_k=;"#,
            // A line `,` joins what has come so far; without it long frames would take a time
            // that grows with the square of their length. Lines of another kind are challenges that
            // were sent again.
            r#"while IFS= read -r _l;do case $_l in .*) _k=${_l#.};break;; ,) _e="$_e$_c";_c=;; "#,
            r#"+*) _c="$_c${_l#+}$_N";;esac;done;_e="$_e$_c";_c=;"#,
            // The last line says how long the text is: of one that came in part nothing runs.
            r#"[ "$_k" = "$(LC_ALL=C;echo ${#_e})" ]||_x torn;eval "$_e""#,
        )
    };
}

/// For `sh -c`, where no login shell stands between.
pub(crate) const TEXT: &str = text!();

/// For the `exec` request of a channel.
pub(crate) const COMMAND: &str = concat!(r#"exec sh -c 'eval "$1"' sh '"#, text!(), "'");

/// Bytes that may come before the announcement.
const NOISE_LIMIT: usize = 1 << 20;

/// The first line on a bootstrap's standard input. A shell that takes it for a command gives
/// itself away; a process that reads some of it leaves an answer that is wrong or missing.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    nonce: String,
}

impl Challenge {
    /// One that nobody can answer who has not read it.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self { nonce: data_encoding::HEXLOWER.encode(&bytes) })
    }

    /// What is sent. The two quotes tell the echo of a terminal from the output of a shell.
    pub(crate) fn line(&self) -> String {
        format!("echo doppio:\"\"shell:{}\n", self.nonce)
    }

    /// What begins the mark of a script's end; see [`end_mark`](crate::end_mark).
    pub(crate) fn end_mark(&self) -> Vec<u8> {
        format!("doppio:4:{}:", self.nonce).into_bytes()
    }

    /// What begins each line of the payload's shell that says whether the script begins.
    pub(crate) fn launch_mark(&self) -> Vec<u8> {
        format!("doppio:3:{}:", self.nonce).into_bytes()
    }
}

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
#[derive(Debug)]
pub(crate) struct Listener {
    challenge: Challenge,
    heard: Vec<u8>,
}

/// Why a bootstrap is not to be trusted with a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No announcement in a whole mebibyte.
    TooMuchNoise,
    /// Its standard input is a terminal.
    Terminal,
    /// Its standard input has no bytes for it.
    Closed,
    /// Another shell takes its input for commands.
    Commands,
    /// Something else reads its standard input, or can.
    Shared,
}

impl Trouble {
    /// What was found, in one line.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::TooMuchNoise => "the login shell keeps printing instead of starting a command",
            Self::Terminal => {
                "the standard input of commands is a terminal there, which would print what is sent and \
                 change some of its bytes"
            }
            Self::Closed => "the standard input of commands is closed there",
            Self::Commands => "the login shell starts another shell instead of the command",
            Self::Shared => "something else can read the standard input of commands there",
        }
    }

    /// What removes it.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::TooMuchNoise | Self::Commands => LOGIN_FILES,
            Self::Terminal => {
                "remove `script` (or what else makes a terminal) from the ForceCommand of the host's \
                 sshd_config and from its login files (~/.bashrc)"
            }
            Self::Closed => {
                "remove the redirection of standard input (`exec </dev/null`) from its login files"
            }
            Self::Shared => {
                "give programs that its login files (~/.bashrc) leave in the background another standard \
                 input: `PROGRAM </dev/null &`"
            }
        }
    }
}

/// What makes a bash's login files fit for commands.
pub(crate) const LOGIN_FILES: &str = "write `[[ $- == *i* ]] || return` at the top of the host's ~/.bashrc, above \
     all that prints, asks, or starts something (`exec fish`, `tmux`)";

impl Listener {
    /// For the answer to a challenge.
    pub(crate) fn new(challenge: Challenge) -> Self {
        Self { challenge, heard: Vec::new() }
    }

    /// Takes what came on standard output; gives the leader as soon as it is announced, with
    /// what followed the announcement.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Result<Option<(Leader, Vec<u8>)>, Trouble> {
        let mut from = self.heard.len().saturating_sub(512);
        self.heard.extend_from_slice(bytes);
        let recent = &self.heard[from..];
        let says = |what: &str| find(recent, what.as_bytes()).is_some();
        if says("doppio:terminal:") {
            return Err(Trouble::Terminal);
        }
        if says("doppio:closed:") {
            return Err(Trouble::Closed);
        }
        if says("doppio:shared:") && recent.ends_with(b"\n") {
            return Err(Trouble::Shared);
        }
        if says(&format!("doppio:shell:{}", self.challenge.nonce)) {
            return Err(Trouble::Commands);
        }
        let mark = b"doppio:2:";
        while let Some(at) = find(&self.heard[from..], mark) {
            let start = from + at + mark.len();
            let Some(end) = find(&self.heard[start..], b"\n") else { break };
            match self.parse(&self.heard[start..start + end]) {
                Some(Ok(leader)) => return Ok(Some((leader, self.heard.split_off(start + end + 1)))),
                Some(Err(trouble)) => return Err(trouble),
                None => from = start,
            }
        }
        if self.heard.len() > NOISE_LIMIT { Err(Trouble::TooMuchNoise) } else { Ok(None) }
    }

    /// `NONCE:PID:LEADS:STATE PPID …:`, the last being what follows the name in `/proc/PID/stat`.
    fn parse(&self, line: &[u8]) -> Option<Result<Leader, Trouble>> {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
        let mut fields = line.strip_suffix(':')?.splitn(4, ':');
        let nonce = fields.next()?;
        let pid = fields.next()?.parse().ok().filter(|&pid| pid > 1)?;
        let leads = fields.next()? == "1";
        // proc(5): field 22 is the start time; the state, where this text begins, is field 3.
        let start = fields.next()?.split(' ').nth(19).and_then(|field| field.parse().ok());
        if nonce != self.challenge.nonce {
            return Some(Err(Trouble::Shared));
        }
        Some(Ok(Leader { pid, leads, start }))
    }

    /// Whether nothing at all has come.
    pub(crate) fn is_silent(&self) -> bool {
        self.heard.is_empty()
    }

    /// Whether the bootstrap runs, so that only the challenge can be what it waits for.
    pub(crate) fn is_waiting(&self) -> bool {
        find(&self.heard, b"doppio:here:").is_some()
    }

    /// The process that can read the standard input too, as `NUMBER NAME`.
    pub(crate) fn sharer(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.heard);
        let (_, named) = text.rsplit_once("doppio:shared:")?;
        Some(named.lines().next()?.trim_end_matches(':').to_owned())
    }

    /// The last of what came before an announcement that never came.
    pub(crate) fn noise(&self) -> String {
        let start = self.heard.len().saturating_sub(500);
        let text = String::from_utf8_lossy(&self.heard[start..]).into_owned();
        let ours = |line: &&str| !line.contains("doppio:");
        text.lines().filter(ours).collect::<Vec<_>>().join("\n").trim().to_owned()
    }
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

    fn listener() -> (Listener, String) {
        let challenge = Challenge::new().unwrap();
        let nonce = challenge.nonce.clone();
        (Listener::new(challenge), nonce)
    }

    #[test]
    fn the_announcement_is_found_behind_noise_and_across_pieces() {
        let (mut listener, nonce) = listener();
        assert_eq!(listener.hear(b"Welcome!\ndoppio:2:$$:\nno newline dop"), Ok(None));
        let piece = format!("pio:2:{nonce}:4242:1:S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98");
        assert_eq!(listener.hear(piece.as_bytes()), Ok(None));
        let (leader, rest) = listener.hear(b"76 2 3:\nrest").unwrap().unwrap();
        assert_eq!(leader, Leader { pid: 4242, leads: true, start: Some(9876) });
        assert_eq!(rest, b"rest");
    }

    #[test]
    fn a_host_without_proc_announces_without_a_start_time() {
        let (mut listener, nonce) = listener();
        let (leader, _) = listener.hear(format!("doppio:2:{nonce}:77:0::\n").as_bytes()).unwrap().unwrap();
        assert_eq!(leader, Leader { pid: 77, leads: false, start: None });
    }

    #[test]
    fn process_one_is_never_a_leader() {
        for pid in [0, 1] {
            let (mut listener, nonce) = listener();
            assert_eq!(listener.hear(format!("doppio:2:{nonce}:{pid}:1::\n").as_bytes()), Ok(None));
        }
    }

    #[test]
    fn only_the_shell_that_read_the_challenge_is_a_leader() {
        let (mut listener, nonce) = listener();
        let torn = format!("doppio:here:\ndoppio:2:{}:4242:1::\n", &nonce[..60]);
        assert_eq!(listener.hear(torn.as_bytes()), Err(Trouble::Shared));
        assert!(listener.is_waiting());
    }

    #[test]
    fn a_shell_that_runs_the_challenge_is_told_from_a_terminal_that_prints_it() {
        let (mut listener, nonce) = listener();
        let echo = listener.challenge.line();
        assert_eq!(listener.hear(echo.as_bytes()), Ok(None));
        assert_eq!(listener.hear(format!("doppio:shell:{nonce}\n").as_bytes()), Err(Trouble::Commands));
        assert_eq!(listener.hear(b"doppio:terminal:\r\n"), Err(Trouble::Terminal));
    }

    #[test]
    fn noise_without_an_end_is_given_up() {
        let (mut listener, _) = listener();
        let noise = vec![b'x'; NOISE_LIMIT / 2];
        assert_eq!(listener.hear(&noise), Ok(None));
        assert_eq!(listener.hear(&noise), Ok(None));
        assert_eq!(listener.hear(&noise), Err(Trouble::TooMuchNoise));
    }
}
