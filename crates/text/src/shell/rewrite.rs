//! Turns references in shell text into references to environment variables, with the quoting
//! of the place where each stands.

use crate::name::EnvName;
use crate::shell::lexer::VALUE;
use crate::shell::lexer::place_values;
use crate::shell::placement::Placements;
use crate::shell::placement::Quoting;

/// A stretch of shell text, or a place where a value belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Shell text as the recipe has it.
    Text(String),
    /// The value of this environment variable, byte for byte, as (part of) one word.
    Value(EnvName),
}

/// Why a value can't stand where it does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RewriteError {
    /// The index of the piece that is at fault.
    pub piece: usize,
    /// What is wrong with its place.
    pub message: String,
    /// What to do instead.
    pub help: String,
}

/// The text with every value as a reference to its variable; or all the places where that
/// can't be done.
///
/// The text is read for its quoting, never expanded; bash and POSIX shells are meant. Text
/// without values is left alone, also where no shell could read it. Whatever a shell would
/// evaluate as arithmetic or as the name of a variable, and whatever shells read in different
/// ways, is refused.
///
/// A value arrives as it is wherever it stands; what the command does with it then is not seen
/// here. `eval "… ${V}"`, `sh -c "… ${V}"`, `trap` and `ssh host "… ${V}"` hand their text to a
/// shell that reads it again, with the value in it as code. The syntax does not distinguish these
/// from other commands, so the lint must find them; within the quotes of `sh -c '… "$X"'` a
/// variable that was exported before is safe.
///
/// # Errors
///
/// Every value that can't stand at its place, or the one thing that can't be read, as a quote that
/// is never closed.
pub fn rewrite(pieces: &[Piece]) -> Result<String, Vec<RewriteError>> {
    refuse_nul(pieces)?;
    let mut text = Vec::new();
    let mut starts = Vec::with_capacity(pieces.len());
    let mut values = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        starts.push(text.len());
        match piece {
            Piece::Text(piece) => text.extend_from_slice(piece.as_bytes()),
            Piece::Value(_) => {
                values.push(index);
                text.push(VALUE);
            }
        }
    }
    let mut placed = Placements::default();
    let read = if values.is_empty() { Ok(()) } else { place_values(&text, &mut placed) };
    let refused = placed.all.iter().zip(&values).filter_map(|(placement, piece)| {
        let why = placement.form.err()?;
        Some(RewriteError { piece: *piece, message: why.message().to_owned(), help: why.help().to_owned() })
    });
    let mut errors: Vec<_> = refused.collect();
    if let Err(fault) = read {
        let piece = starts.partition_point(|start| *start <= fault.at).saturating_sub(1);
        let line = text[..fault.at].split(|byte| *byte == b'\n').count();
        let place = if text.contains(&b'\n') { format!(" (line {line} of the text)") } else { String::new() };
        errors.push(RewriteError { piece, message: fault.message + &place, help: fault.help });
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut forms = placed.all.iter().filter_map(|placement| placement.form.ok());
    let written = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value(variable) => forms.next().unwrap_or(Quoting::Plain).text(variable.as_str()),
    });
    Ok(written.collect())
}

/// A NUL byte can't be in a shell text, and stands for a value here.
fn refuse_nul(pieces: &[Piece]) -> Result<(), Vec<RewriteError>> {
    let with_nul = |(piece, content): (usize, &Piece)| match content {
        Piece::Text(text) if text.contains('\0') => Some(RewriteError {
            piece,
            message: "a NUL byte is not allowed in shell text".to_owned(),
            help: "remove it".to_owned(),
        }),
        Piece::Text(_) | Piece::Value(_) => None,
    };
    let errors: Vec<_> = pieces.iter().enumerate().filter_map(with_nul).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts a text at its `@`s, each of which stands for the value `V`.
    fn pieces(text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (index, piece) in text.split('@').enumerate() {
            if index > 0 {
                pieces.push(Piece::Value("V".parse().unwrap()));
            }
            pieces.push(Piece::Text(piece.to_owned()));
        }
        pieces
    }

    fn written(text: &str) -> String {
        rewrite(&pieces(text)).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
    }

    /// The first error: its piece and its message.
    fn refused(text: &str) -> (usize, String) {
        match rewrite(&pieces(text)) {
            Ok(written) => panic!("{text} became {written}"),
            Err(errors) => {
                assert!(errors.iter().all(|error| !error.help.is_empty()));
                (errors[0].piece, errors[0].message.clone())
            }
        }
    }

    fn check(cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(written(text), *expected, "{text}");
        }
    }

    #[test]
    fn bare_words_are_quoted() {
        check(&[
            ("echo @", r#"echo "${V}""#),
            ("@", r#""${V}""#),
            ("a@b@c", r#"a"${V}"b"${V}"c"#),
            ("export X=@", r#"export X="${V}""#),
            ("X=@ Y=a:@ cmd", r#"X="${V}" Y=a:"${V}" cmd"#),
            ("cmd --token=@ > @ 2>&1 < @", r#"cmd --token="${V}" > "${V}" 2>&1 < "${V}""#),
            ("cat <<< @", r#"cat <<< "${V}""#),
            ("a=(x @ [y]=@)", r#"a=(x "${V}" [y]="${V}")"#),
            ("[[ $x == @* && @ =~ @ ]]", r#"[[ $x == "${V}"* && "${V}" =~ "${V}" ]]"#),
            ("[ @ -eq 1 ]", r#"[ "${V}" -eq 1 ]"#),
            ("~@ x=~/@", r#"~"${V}" x=~/"${V}""#),
            ("f() { echo @; }", r#"f() { echo "${V}"; }"#),
            ("for x in @ b; do echo @; done", r#"for x in "${V}" b; do echo "${V}"; done"#),
            (r"echo \\@", r#"echo \\"${V}""#),
            ("echo a\\\n@", "echo a\\\n\"${V}\""),
        ]);
    }

    #[test]
    fn quotes_are_kept() {
        check(&[
            (r#"echo "a @ b""#, r#"echo "a ${V} b""#),
            (r#"echo "\\@\"@""#, r#"echo "\\${V}\"${V}""#),
            ("echo 'a @ b'", r#"echo 'a '"${V}"' b'"#),
            (r"echo 'a\@'", r#"echo 'a\'"${V}"''"#),
            ("echo 'a$@'", r#"echo 'a$'"${V}"''"#),
            (r"echo $'it\'s @ \\@'", r#"echo $'it\'s '"${V}"$' \\'"${V}"$''"#),
            (r#"echo $"a @""#, r#"echo $"a ${V}""#),
            (r#"echo "$'@'""#, r#"echo "$'${V}'""#),
            (r#"echo "a"'b'@"#, r#"echo "a"'b'"${V}""#),
        ]);
    }

    #[test]
    fn comments_lose_their_values() {
        check(&[
            ("# @\necho @", "# \necho \"${V}\""),
            ("echo a # it's @", "echo a # it's "),
            ("echo a#@ $#@ ${#x}@ a\\ #@", r#"echo a#"${V}" $#"${V}" ${#x}"${V}" a\ #"${V}""#),
            ("(#@\n)", "(#\n)"),
            ("echo;#@\\\necho @", "echo;#\\\necho \"${V}\""),
            ("echo a\\\n#@", "echo a\\\n#\"${V}\""),
            ("echo @#@", r##"echo "${V}"#"${V}""##),
        ]);
    }

    #[test]
    fn here_documents_are_followed() {
        check(&[
            ("cat <<E\na \"@\" '@' # @\nE\necho @", "cat <<E\na \"${V}\" '${V}' # ${V}\nE\necho \"${V}\""),
            ("cat <<-E @\n\t@\n\tE\necho @", "cat <<-E \"${V}\"\n\t${V}\n\tE\necho \"${V}\""),
            (
                "cat <<A; cat << B 3<<'C'\n@\nA\n@\nB\n$(x\nC\n@",
                "cat <<A; cat << B 3<<'C'\n${V}\nA\n${V}\nB\n$(x\nC\n\"${V}\"",
            ),
            ("x=$(cat <<E\n) @\nE\n)@", "x=$(cat <<E\n) ${V}\nE\n)\"${V}\""),
            ("(cat <<E)\n@\nE", "(cat <<E)\n${V}\nE"),
            ("cat <<E\n$(echo @ '@' \"@\")\nE", "cat <<E\n$(echo \"${V}\" ''\"${V}\"'' \"${V}\")\nE"),
            ("cat <<E\na\\\nE\n@\nE", "cat <<E\na\\\nE\n${V}\nE"),
            ("cat <<E\n${x:-@}\nE", "cat <<E\n${x:-${V}}\nE"),
            ("cat <<E\n$(echo \"${x:-'@'}\")\nE", "cat <<E\n$(echo \"${x:-'${V}'}\")\nE"),
            ("echo $((1<<2)) @", "echo $((1<<2)) \"${V}\""),
        ]);
    }

    #[test]
    fn substitutions_nest() {
        check(&[
            ("echo $(echo @)", r#"echo $(echo "${V}")"#),
            (r#"echo "$(echo "@" @)" "@""#, r#"echo "$(echo "${V}" "${V}")" "${V}""#),
            ("echo `echo @`", r#"echo `echo "${V}"`"#),
            (r#"echo "`echo @ \"@\" '@'`""#, r#"echo "`echo "${V}" \"${V}\" ''"${V}"''`""#),
            (r#"echo `echo \"@`"#, r#"echo `echo \""${V}"`"#),
            (r"echo `echo \`echo @\``", r#"echo `echo \`echo "${V}"\``"#),
            ("echo `echo # @`@", r#"echo `echo # `"${V}""#),
            ("diff <(echo @) >(cat '@')@", r#"diff <(echo "${V}") >(cat ''"${V}"'')"${V}""#),
            ("echo $(( $(echo @) + 1 ))", r#"echo $(( $(echo "${V}") + 1 ))"#),
            (
                "x=$(case @ in @) echo @;; (b|@) ;; esac)@",
                r#"x=$(case "${V}" in "${V}") echo "${V}";; (b|"${V}") ;; esac)"${V}""#,
            ),
            (
                "$(case a in a) case b in b) (x) esac esac; echo ')' @)",
                "$(case a in a) case b in b) (x) esac esac; echo ')' \"${V}\")",
            ),
        ]);
    }

    #[test]
    fn parameters_nest() {
        check(&[
            ("echo ${x:-@}", r#"echo ${x:-"${V}"}"#),
            ("echo ${x:-a '@' b}", r#"echo ${x:-a ''"${V}"'' b}"#),
            (r#"echo ${x:-"@"}"#, r#"echo ${x:-"${V}"}"#),
            (r#"echo "${x:-@}""#, r#"echo "${x:-${V}}""#),
            (r#"echo "${x:-'@'}""#, r#"echo "${x:-'${V}'}""#),
            (r#"echo "${x:-"@"}""#, r#"echo "${x:-"${V}"}""#),
            (r#"echo "${x:=@}" ${x#@} "${x##@}""#, r#"echo "${x:=${V}}" ${x#"${V}"} "${x##"${V}"}""#),
            ("echo ${x/@/@}", r#"echo ${x/"${V}"/"${V}"}"#),
            ("echo ${x:-${y:-@}}@", r#"echo ${x:-${y:-"${V}"}}"${V}""#),
        ]);
    }

    #[test]
    fn whatever_a_shell_evaluates_is_refused() {
        let arithmetic = [
            "echo $((@ + 1))",
            "echo $(( ${x:-@} ))",
            "(( a = @ ))",
            "for ((i = @;;)); do :; done",
            "let x=@",
            "[[ @ -eq 1 ]]",
            "[[ 1 -lt @ ]]",
            "[[ ( @ -ge 2 ) ]]",
            "declare -i n=@",
            "echo ${x:@:1}",
            "echo $((a[1] + @))",
            "command let '@'",
            "let \"x = @\"",
            "if (( @ )); then :; fi",
        ];
        for text in arithmetic {
            assert!(refused(text).1.contains("could run commands"), "{text}");
        }
        for text in ["echo $[@]", "a[@]=1", "echo ${a[@]}", "a=([@]=1)", "a[\"@\"]=1", "unset a[@]"] {
            assert!(refused(text).1.contains("subscript"), "{text}");
        }
        for text in
            ["export @", "export a@=1", "unset @", "read -r @", "printf -v @ x", "[ -v @ ]", "[[ -v @ ]]"]
        {
            assert!(refused(text).1.contains("name of a variable"), "{text}");
        }
        check(&[
            ("read -r -p @ x <<< @", r#"read -r -p "${V}" x <<< "${V}""#),
            ("let x=1; echo @", r#"let x=1; echo "${V}""#),
            ("[[ $(echo @) -eq 1 ]]", r#"[[ $(echo "${V}") -eq 1 ]]"#),
            ("(( x )) && echo @", r#"(( x )) && echo "${V}""#),
        ]);
    }

    #[test]
    fn places_without_a_right_form_are_refused() {
        let cases = [
            ("cat <<'E'\n@\nE", 1, "a here-document whose delimiter is quoted"),
            ("cat <<\\E\n@\nE", 1, "a here-document whose delimiter is quoted"),
            (r"echo \@", 1, "backslash"),
            (r#"echo "\@""#, 1, "backslash"),
            (r"echo $'\@'", 1, "backslash"),
            ("cat <<E\n\\@\nE", 1, "backslash"),
            ("echo $@", 1, "`$` before"),
            (r#"echo "$@""#, 1, "`$` before"),
            ("echo ${@}", 1, "name of a variable"),
            ("echo ${x@}", 1, "name of a variable"),
            ("echo ${#@}", 1, "name of a variable"),
            (": ${x:=@}", 1, "double quotes"),
            ("echo ${x:-$'@'}", 1, "within `${…}`"),
            (r#"echo "${x/@/a}""#, 1, "within double quotes"),
            ("echo 'a @", 0, "`'` is never closed"),
            ("echo @\necho \"a", 2, "`\"` is never closed (line 2 of the text)"),
            ("echo $(a @", 0, "`$(` is never closed"),
            ("echo \"`echo '\"' @`\"", 0, "a lone `\"`"),
            ("cat <<E\n`echo \\\"@\\\"`\nE", 0, "differently within backquotes"),
            ("echo `a @", 0, "backquote is never closed"),
            ("echo ${a:-@", 0, "`${` is never closed"),
            ("cat <<E\n@\n", 0, "`E` never ends"),
            ("cat <<@\n\n", 0, "delimiter"),
            ("echo @)", 2, "closes nothing"),
            ("$(cat <<E)\n@\nE", 0, "outside its substitution"),
            ("echo $((a); @)", 0, "arithmetic or two lists"),
        ];
        for (text, piece, message) in cases {
            let (found, why) = refused(text);
            let help = &rewrite(&pieces(text)).unwrap_err()[0].help;
            assert!(why.contains(message) || help.contains(message), "{text}: {why}");
            assert_eq!(found, piece, "{text}: {why}");
        }
        assert_eq!(rewrite(&pieces("echo $((@)) $@")).unwrap_err().len(), 2);
        let nul = rewrite(&[Piece::Text("a\0".to_owned())]).unwrap_err();
        assert_eq!((nul[0].piece, nul[0].message.as_str()), (0, "a NUL byte is not allowed in shell text"));
    }
}
