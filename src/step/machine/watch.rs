//! What a machine does by itself at its start: it keeps the door open for us, and ends what nobody uses,
//! also with the laptop shut.

/// When a machine is to stop itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Limits {
    /// After so many seconds.
    pub most_secs: Option<u64>,
    /// When no GPU is busier than `gpu_below` percent for `minutes`.
    pub idle: Option<(u32, u32)>,
}

/// The shell text for the first start: ours, then the user's.
pub(super) fn on_start(limits: Limits, base: Option<&str>, own: Option<&str>) -> String {
    let mut text = "touch ~/.no_auto_tmux\n".to_owned();
    if limits != Limits::default() {
        let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        let (below, minutes) =
            limits.idle.map_or((None, None), |(below, minutes)| (Some(below.into()), Some(minutes.into())));
        for (name, value) in [
            ("doppio_most", number(limits.most_secs)),
            ("doppio_below", number(below)),
            ("doppio_minutes", number(minutes)),
            ("doppio_url", doppio_text::shell::quote(base.unwrap_or("https://console.vast.ai"))),
        ] {
            text.extend([name, "=", &value, "\n"]);
        }
        text += include_str!("watch.sh");
    }
    text + own.unwrap_or_default()
}

/// The most bytes that vast.ai takes of it, by its documentation.
const LONGEST: usize = 4096;

/// What helps against a text that is too long.
pub(super) const SHORTER: &str = "fetch what is long from there, or do it in a step";

/// Why vast.ai would refuse it; none if it would not.
pub(super) fn too_long(on_start: &str, own: Option<&str>) -> Option<String> {
    let (all, own) = (on_start.len(), own.map_or(0, str::len));
    (all > LONGEST).then(|| {
        format!(
            "`onstart` has {own} bytes, and with the {} bytes of doppio's own that is more than the {LONGEST} that \
             vast.ai takes",
            all - own
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_limits_gets_no_watcher() {
        assert_eq!(on_start(Limits::default(), None, Some("echo hi")), "touch ~/.no_auto_tmux\necho hi");
        let limits = Limits { most_secs: Some(7200), idle: Some((5, 20)) };
        let text = on_start(limits, Some("http://127.0.0.1:1"), None);
        assert!(text.contains("doppio_most=7200\ndoppio_below=5\ndoppio_minutes=20\n"), "{text}");
        assert!(text.len() < 3000, "{} of {LONGEST} bytes are ours", text.len());
    }

    #[test]
    fn a_text_that_is_too_long_is_known_before_anything_is_hired() {
        let own = "x".repeat(LONGEST);
        let why =
            too_long(&on_start(Limits::default(), None, Some(&own)), Some(&own)).expect("it is too long");
        assert_eq!(
            why,
            "`onstart` has 4096 bytes, and with the 22 bytes of doppio's own that is more than the 4096 that vast.ai takes"
        );
        assert_eq!(too_long(&on_start(Limits::default(), None, Some(&own[22..])), None), None);
    }
}
