//! The pattern compiler: all the ways in which a value may be printed.

use data_encoding::BASE64_NOPAD;
use data_encoding::BASE64URL_NOPAD;

use crate::mask::encode;
use crate::mask::encode::Encoded;
use crate::mask::encode::form;
use crate::mask::encode_shell as shell;
use crate::mask::escapes;
use crate::mask::parts::parts;
use crate::mask::pattern::Encoding;
use crate::mask::pattern::Pattern;
use crate::mask::pattern::Rule;
use crate::mask::policy;

/// All patterns of one value, those of its parts included; sorted, each once.
pub(crate) fn compile(value: &[u8], secret: u32) -> Vec<Pattern> {
    let mut forms = Forms { patterns: Vec::new(), secret, encoding: Encoding::Plain };
    forms.value(value);
    for part in parts(value) {
        if part.whole {
            forms.value(&part.bytes);
        } else {
            forms.stem(&part.bytes);
        }
    }
    forms.patterns.sort_unstable_by_key(Pattern::encoding);
    forms.patterns.sort_by(|one, other| one.key().cmp(&other.key()));
    forms.patterns.dedup_by(|one, other| one.key() == other.key());
    forms.patterns
}

struct Forms {
    patterns: Vec<Pattern>,
    secret: u32,
    /// That of the forms that are being added.
    encoding: Encoding,
}

impl Forms {
    /// A value or a part that is a value: all encodings if it is long enough.
    fn value(&mut self, value: &[u8]) {
        let core = value.trim_ascii();
        if core.len() < policy::SHORTEST {
            return;
        }
        if core.len() < policy::LONG {
            self.patterns.push(Pattern::new(copy(core), self.secret, Rule::Word));
            return;
        }
        let end = value.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |at| at + 1);
        let value = &value[..end];
        self.encodings(value);
        if core.len() < value.len() {
            self.encodings(core);
        }
        if let Some(lines) = Lines::of(value) {
            self.encodings(&lines.joined(b"\n"));
            self.encodings(&lines.joined(b"\r\n"));
            self.stem(&lines.joined(b"\\n"));
            self.stem(&lines.joined(b" "));
            self.stem(&lines.joined(b""));
        }
    }

    fn add(&mut self, form: Encoded) {
        let any_case = policy::any_case(&form);
        // What looks like an escape is another one in another case.
        if !any_case || form.iter().copied().any(escapes::begins_with) {
            self.push(copy(&form), Rule::Exact);
        }
        if any_case {
            self.push(form, Rule::AnyCase);
        }
    }

    /// A form of which the letters' case carries meaning, so that another case is another value.
    fn exact(&mut self, form: Encoded) {
        self.push(form, Rule::Exact);
    }

    fn push(&mut self, form: Encoded, rule: Rule) {
        if form.len() >= policy::LONG {
            self.patterns.push(Pattern::new(form, self.secret, rule).written(self.encoding));
        }
    }

    /// The bytes as they are, and as a terminal or a decoder shows them.
    fn stem(&mut self, stem: &[u8]) {
        self.add(copy(stem));
        let odd = |byte: &u8| !byte.is_ascii() || byte.is_ascii_control();
        if stem.iter().any(odd) {
            self.exact(encode::caret(stem));
        }
        if std::str::from_utf8(stem).is_err() {
            self.exact(lossy(stem));
        }
    }

    fn encodings(&mut self, value: &[u8]) {
        self.stem(value);
        self.encoding = Encoding::Base64;
        self.base64(value);
        self.encoding = Encoding::Hex;
        self.hex(value);
        self.encoding = Encoding::Percent;
        self.percent(value);
        self.encoding = Encoding::Quoted;
        self.quoted(value);
        self.encoding = Encoding::Shell;
        self.shell(value);
        self.encoding = Encoding::Xml;
        for entities in encode::ENTITIES {
            self.exact(encode::xml(value, entities));
        }
        self.encoding = Encoding::Shell;
        for reads in shell::ECHOES {
            if let Some(echoed) = shell::echoed(value, reads) {
                self.stem(&echoed);
            }
        }
        self.encoding = Encoding::Plain;
    }

    fn base64(&mut self, value: &[u8]) {
        let wide = encode::utf16(&String::from_utf8_lossy(value));
        self.encoding = Encoding::Utf16;
        self.exact(copy(&wide));
        self.encoding = Encoding::Base64;
        for offset in 0..3 {
            for alphabet in [&BASE64_NOPAD, &BASE64URL_NOPAD] {
                let once = encode::base64_core(value, offset, alphabet);
                self.base64_again(&once);
                if offset == 0 {
                    // `base64 | base64`: the first breaks its lines.
                    for width in [64, 76].into_iter().filter(|&width| once.len() > width) {
                        self.base64_again(&encode::wrapped(&once, width));
                    }
                }
                self.exact(once);
            }
            self.exact(encode::base64_core(&wide, offset, &BASE64_NOPAD));
        }
    }

    fn base64_again(&mut self, once: &[u8]) {
        for offset in 0..3 {
            for alphabet in [&BASE64_NOPAD, &BASE64URL_NOPAD] {
                self.exact(encode::base64_core(once, offset, alphabet));
            }
        }
    }

    fn hex(&mut self, value: &[u8]) {
        let prefixed = |prefix: &'static [u8]| {
            encode::bytes(value, 2 + prefix.len(), |byte, out| {
                out.extend_from_slice(prefix);
                encode::hex(byte, false, out);
            })
        };
        for prefix in [b"".as_slice(), b"\\x", b"\\\\x", b"%"] {
            self.push(prefixed(prefix), Rule::AnyCase);
        }
        self.encoding = Encoding::Decimal;
        for between in [b", ".as_slice(), b",", b" "] {
            self.exact(encode::decimals(value, between));
        }
    }

    fn percent(&mut self, value: &[u8]) {
        for style in encode::PERCENT {
            for upper in [true, false] {
                let once = encode::percent(value, style, upper);
                self.exact(encode::percent(&once, style, upper));
                self.exact(once);
            }
        }
    }

    /// Strings as JSON, Python, Go, C and Rust write them.
    fn quoted(&mut self, value: &[u8]) {
        let text = lossy(value);
        let text = std::str::from_utf8(&text).unwrap_or_default();
        for style in encode::json_styles() {
            let once = encode::json(text, style);
            if let Ok(again) = std::str::from_utf8(&once) {
                self.exact(encode::json(again, style));
            }
            self.exact(once);
        }
        self.exact(encode::rust_debug(text));
        self.exact(encode::python_ascii(text));
        for high in [false, true] {
            self.exact(encode::go_quote(value, high));
            self.exact(encode::python_repr(value, high));
        }
    }

    fn shell(&mut self, value: &[u8]) {
        self.exact(shell::single(value));
        self.exact(shell::single_by_double(value));
        self.exact(shell::single_by_rows(value));
        self.exact(shell::single_by_backslash_rows(value));
        self.exact(shell::double(value));
        self.exact(shell::zsh_c(value));
        self.exact(shell::ksh_c(value));
        for (high, wide) in [(false, false), (true, false), (false, true)] {
            self.exact(shell::ansi_c(value, high, wide));
        }
        for special in shell::BACKSLASHED {
            self.exact(shell::backslash(value, special));
        }
    }
}

fn copy(bytes: &[u8]) -> Encoded {
    form(bytes.len(), |out| out.extend_from_slice(bytes))
}

/// UTF-8 with U+FFFD for what is none, as most decoders do.
fn lossy(bytes: &[u8]) -> Encoded {
    form(bytes.len() * 3, |out| {
        for chunk in bytes.utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
    })
}

/// The lines of a value that has several.
struct Lines<'a>(Vec<&'a [u8]>);

impl<'a> Lines<'a> {
    fn of(value: &'a [u8]) -> Option<Self> {
        let lines = value.split(|&byte| byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect::<Vec<_>>();
        (lines.len() > 1).then_some(Self(lines))
    }

    fn joined(&self, with: &[u8]) -> Encoded {
        let room = self.0.iter().map(|line| line.len() + with.len()).sum();
        form(room, |out| {
            for (index, line) in self.0.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(with);
                }
                out.extend_from_slice(line);
            }
        })
    }
}
