use super::*;

fn unset(text: &str) -> Vec<String> {
    survey(text).unset().map(|of| text[of.at.clone()].to_owned()).collect()
}

fn pipes(text: &str) -> Vec<String> {
    survey(text).pipes.into_iter().map(|pipe| text[pipe.at].to_owned()).collect()
}

#[test]
fn names_that_nothing_in_the_text_sets_are_found() {
    assert_eq!(
        unset("rm -rf ${WORKDIR}/x \"$DATA/y\" $(ls $TMP_X) `ls $TMP_Y`"),
        ["${WORKDIR}", "$DATA", "$TMP_X", "$TMP_Y"]
    );
    assert_eq!(unset("cat <<E\n$NAME\nE\ncat <<'E'\n$OTHER\nE\n"), ["$NAME"]);
    assert_eq!(unset("echo ${FILE%.gz} ${LIST[0]} $${DIR}"), ["${FILE%.gz}", "${LIST[0]}", "${DIR}"]);
}

#[test]
fn each_name_is_told_once_where_it_is_first_used() {
    let text = "echo '$DATA'; rm $DATA ${DATA} $DATA $OTHER";
    let found = survey(text);
    let found: Vec<_> = found.unset().map(|of| (of.at.start, of.name.as_str())).collect();
    assert_eq!(found, [(17, "DATA"), (37, "OTHER")]);
}

#[test]
fn names_that_are_used_before_they_are_asked_about_are_found() {
    assert_eq!(unset("rm $OUT; [ -n \"$OUT\" ] && rm $OUT"), ["$OUT"]);
    assert_eq!(unset("head -n \"$LINES_OF\" x; tail -n $MANY"), ["$LINES_OF", "$MANY"]);
}

#[test]
fn a_shift_begins_no_here_document() {
    for text in [
        "x=$((1 << 2))\nrm $OUT\n",
        "((x << 1))\nrm $OUT\n",
        "for ((i = 1 << 3; i; i--)); do a; done\nrm $OUT\n",
    ] {
        assert_eq!(unset(text), ["$OUT"], "{text}");
    }
    assert_eq!(pipes("((x << 1))\nmake | tee log\n"), ["| tee"]);
    assert_eq!(unset("(( (a; b) ; c))"), [""; 0]);
    assert_eq!(unset("((cat <<E); (b))\n$NAME\nE\n"), ["$NAME"]);
}

#[test]
fn text_that_no_shell_expands_is_told() {
    let text = "a 'b' # c\ncat <<'E' <<F\nd\nE\n$f\nF\ng";
    let found = survey(text);
    let literal: String =
        text.char_indices().filter(|(at, _)| found.is_literal(*at)).map(|(_, letter)| letter).collect();
    assert_eq!(literal, "b# cd\nE\n");
}

#[test]
fn names_that_the_text_sets_or_guards_are_not() {
    for text in [
        "OUT=/x; rm $OUT",
        "export OUT=/x\nrm ${OUT}",
        "read -r OUT; echo $OUT",
        "for OUT in a b; do echo $OUT; done",
        "echo ${OUT:-x} ${OUT:?unset} ${OUT-} ${OUT:+a}",
        ": ${OUT:=/x}; rm $OUT",
        "OUT=(a b); echo ${OUT[0]}",
        "printf -v OUT x; echo $OUT",
        "(( OUT=1 )); echo $OUT",
        ". ./env.sh; echo $OUT",
        "eval \"$(tool)\"; echo $OUT",
        "sh -c 'echo $OUT' # $OUT",
        "echo '$OUT' \\$OUT $out $1 $$ ${secret:OUT} ${env.OUT} $X",
        "OUT+=x; echo $OUT",
        "[ -n \"$OUT\" ] && rm $OUT",
        "if [[ -z ${OUT} ]]; then exit 1; fi; rm $OUT",
        "[ -n \"${OUT:-}\" ] || exit; rm $OUT",
        "if ! test -z $OUT; then rm $OUT; fi",
        "[[ -n $OUT && -n $FROM ]] && cp $FROM $OUT",
        "exec {LOCK}>file; flock $LOCK",
        "mapfile ROWS < <(ls); echo $ROWS",
        "cat < <(ls) > >(tee log) OUT=1; echo $OUT",
        "x=$(( OUT = 1 )); echo $OUT",
        "if source x; then :; elif . y; then echo $OUT; fi",
    ] {
        assert_eq!(unset(text), [""; 0], "{text}");
    }
}

#[test]
fn pipes_that_hide_a_failure_are_found() {
    assert_eq!(pipes("false | tee log"), ["| tee"]);
    assert_eq!(pipes("set -u\npython train.py 2>&1 |& tee -a log\necho done"), ["|& tee"]);
    assert_eq!(pipes("for x in a; do\n  run $x\ndone | tee log"), ["| tee"]);
    assert_eq!(pipes("make | sudo tee log && ./a"), ["| sudo tee"]);
    assert_eq!(pipes("nvidia-smi | grep A100; make | head -5"), ["| grep", "| head"]);
    assert_eq!(pipes("(a; b) | cat"), ["| cat"]);
    assert_eq!(pipes("if x; then make | tee log; fi"), ["| tee"]);
    assert_eq!(pipes("make |\n  'tee' log"), ["|\n  'tee'"]);
    assert_eq!(pipes("while true; do make | tee log; done"), ["| tee"]);
    assert_eq!(pipes("case $x in a) make | tee log;; b) ;; esac; run | cat"), ["| tee", "| cat"]);
    assert_eq!(pipes("a > >(tee x) && make | tee log"), ["| tee"]);
}

#[test]
fn other_pipes_are_not() {
    for text in [
        "echo a | tee log",
        "ls -l | head",
        "cat x | grep y",
        "make | sort",
        "if make | grep -q x; then y; fi",
        "! make | grep x",
        "make | grep -q x || exit 1",
        "set -o pipefail; make | tee log",
        "set -euo pipefail\nmake | tee log",
        "make | tee log; exit ${PIPESTATUS[0]}",
        "x=$(make | head -1)",
        "make | tee log &",
        "echo 'make | tee log' # make | tee",
        "cat <<E\nmake | tee log\nE\n",
        "make || tee log",
        "while true; do if make | grep -q x; then break; fi; done",
        "if a; then if { make | grep -q x; }; then b; fi; fi",
        "while read -r x; do until make | grep x; do sleep 1; done; done",
        "sort x | uniq | tee log",
        "grep x log | cut -d: -f1 | sort -u | tail -1 | tr a b | sed s/a/b/ | awk 1 | wc -l | cat",
        "case $x in cat|tee) a;; (b|head) c;; esac",
        "case $x in\n  a | tee)\n    b\n    ;;\n  c | cat) d;;\nesac",
        "x=$(case $y in a) make | tee log;; b) c;; esac)",
    ] {
        assert_eq!(pipes(text), [""; 0], "{text}");
    }
}

#[test]
fn any_text_has_an_end() {
    for unit in [
        "$(",
        "`",
        "\"",
        "${X",
        "(",
        "<<E\n",
        "'",
        "\\",
        "|",
        "<(",
        "${",
        "case a in a) ",
        "((",
        "$((",
        "))",
        "case a in ",
        ";;",
        "{A}>",
    ] {
        for count in [1, 2, 3000] {
            survey(&unit.repeat(count));
        }
    }
}
