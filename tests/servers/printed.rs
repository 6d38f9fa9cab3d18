//! What Python, shells and small programs print of a value: the oracle of the encodings.

use doppio_test_support::mask_of;
use doppio_test_support::printed_by;
use doppio_test_support::residue;
use doppio_test_support::shown;
use doppio_test_support::whole;

const AWS: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY";

fn hostile_values() -> Vec<Vec<u8>> {
    vec![
        AWS.as_bytes().to_vec(),
        b"it's \"quoted\" & <tagged> $HOME `id` \\ /x ~# {a,b} ^!".to_vec(),
        b"''two''quotes''\"\"at the'ends''".to_vec(),
        "sch\u{f6}ne gr\u{fc}\u{df}e \u{20ac} \u{1f600} aus+k\u{f6}ln%20=;:@?,*()[]|".as_bytes().to_vec(),
        b"tab\tand\x01ctrl\x1b[0m\x7fEND!".to_vec(),
        br"reads\nescapes\tand\\all\0101 \102\x43 \e\q of them".to_vec(),
        b"line one is this\nline two is that\nthe third".to_vec(),
    ]
}

const PYTHON: &str = r"
import sys, json, base64, html, shlex, urllib.parse as u, binascii, quopri
from xml.sax.saxutils import escape, quoteattr
b = sys.stdin.buffer.read()
t = b.decode()
forms = [t, json.dumps(t), json.dumps(t, ensure_ascii=False), json.dumps(json.dumps(t)), json.dumps(t).replace('/', '\\/'),
  u.quote(t), u.quote(t, safe=''), u.quote_plus(t), u.urlencode({'q': t}), u.quote(u.quote(t, safe=''), safe=''),
  html.escape(t), html.escape(t, quote=False), escape(t), quoteattr(t), repr(t), repr(b), ascii(t), shlex.quote(t),
  str(list(b)), b.hex(), b.hex(' '), b.hex(' ', 4), base64.b64encode(b).decode(), base64.urlsafe_b64encode(b).decode(),
  base64.encodebytes(b).decode(), base64.b64encode(base64.b64encode(b)).decode(),
  'Basic ' + base64.b64encode(b'user:' + b).decode(), 'https://user:' + u.quote(t, safe='') + '@host',
  base64.b64encode(t.encode('utf-16-le')).decode(), ''.join('\\x%02x' % c for c in b), ''.join('%%%02X' % c for c in b)]
sys.stdout.write(json.dumps(forms))
";

#[test]
fn what_python_prints() {
    for value in hostile_values() {
        let mask = mask_of(&[&value]);
        let forms: Vec<String> =
            serde_json::from_slice(&printed_by("python3", &["-c", PYTHON], &value)).unwrap();
        assert!(forms.len() > 25);
        for form in forms {
            let out = whole(&mask, form.as_bytes());
            // `https://user:` and `@host`, or `Basic ` and the start of base64.
            let left = residue(&out).len();
            assert!(left <= 20, "{form}\n became {}", shown(&out));
        }
    }
}

#[test]
fn what_shells_print() {
    let trace = "set -x; : \"$V\"; W=$V; : \"--token=$V\"";
    for value in hostile_values() {
        let mask = mask_of(&[&value]);
        for shell in ["bash", "dash", "zsh", "ksh", "mksh", "busybox"] {
            let script = |text| if shell == "busybox" { vec!["sh", "-c", text] } else { vec!["-c", text] };
            let out = whole(&mask, &printed_by(shell, &script(trace), &value));
            let text = String::from_utf8_lossy(&out).into_owned();
            assert!(text.matches("***").count() >= 3, "{shell}: {text}");
            assert!(out.len() < 120, "{shell}: {text}");
        }
        for (shell, script) in [
            ("bash", "printf '%q\\n' \"$V\""),
            ("bash", "LC_ALL=C; printf '%q\\n' \"$V\""),
            ("bash", "declare -p V"),
            ("bash", "echo \"${V@Q}\""),
            ("zsh", "export -p V"),
            ("bash", "echo $V"),
            ("dash", "echo \"$V\""),
            ("zsh", "echo \"$V\""),
            ("bash", "echo -e \"$V\""),
            ("bash", "printf %b \"$V\""),
            ("bash", "printf %s \"$V\" | base64"),
            ("bash", "echo \"$V\" | base64 -w 0"),
            ("bash", "printf 'user:%s' \"$V\" | base64 -w 0 | base64"),
            ("bash", "printf %s \"$V\" | base64 | base64"),
            ("bash", "printf %s \"$V\" | xxd -p"),
            ("bash", "printf %s \"$V\" | xxd -p -u"),
            ("bash", "printf %s \"$V\" | od -An -v -tx1"),
            ("bash", "printf %s \"$V\" | cat -v"),
            ("bash", "printf %s \"$V\" | tr a-z A-Z | tr A-Z a-z | head -c 0; echo \"$V\""),
        ] {
            if script == "echo $V" && value.contains(&b'*') {
                continue;
            }
            let printed = printed_by(shell, &["-c", script], &value);
            let out = whole(&mask, &printed);
            let left = residue(&out).len();
            assert!(left <= 24, "{script}: {}\n became {}", shown(&printed), shown(&out));
        }
    }
}
