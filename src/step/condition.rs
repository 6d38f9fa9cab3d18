//! Conditions: what `wait_condition` and `assert` look at.

mod declare;
mod field;
mod form;
mod kinds;
mod look;
mod show;

pub(super) use form::MADE;
pub(super) use kinds::Condition;
pub(super) use kinds::KINDS;

#[cfg(test)]
mod tests {
    use doppio_text::Source;

    use super::*;
    use crate::step::Reader;
    use crate::step::Spec;
    use crate::step::condition::kinds::Parsed;

    fn read(text: &str) -> Result<Parsed, Vec<String>> {
        let source = Source::new("r.toml", format!("condition = {text}"));
        let mut reader = Reader::new(&source);
        let table = reader.document();
        let read = form::read(&mut reader, &table["condition"], "`condition`");
        assert_eq!(read.is_some(), reader.faults.is_empty(), "{text}: {:?}", reader.faults);
        read.ok_or_else(|| reader.into_faults().into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn old_and_new_forms_are_read() {
        for text in [
            "\"always\"",
            "{ always = {} }",
            "{ not = \"never\" }",
            "{ and = [\"always\", { var_equals = { name = \"a\", value = \"b\" } }] }",
            "{ gpu_available = { host_id = \"h\" } }",
            "{ tmux_exited = { session_name = \"train\" } }",
        ] {
            assert!(read(text).is_ok(), "{text}: {:?}", read(text));
        }
        assert!(read("{ file_exists = { path = \"a\" }, always = {} }").is_err());
        assert!(read("{ file_exists = { path = \"a\", pth = \"b\" } }").is_err());
    }

    #[test]
    fn all_that_is_wrong_inside_is_told() {
        let faults = read(
            "{ and = [{ port_open = { port = 70000 } }, { not = { file_exist = {} } }, { file_exists = {} }] }",
        );
        assert_eq!(
            faults.expect_err("three faults"),
            [
                "`port` must be a whole number from 0 to 65535",
                "no condition is called `file_exist`",
                "`file_exists` needs `path`"
            ]
        );
    }

    #[test]
    fn every_example_is_right() {
        for Spec { name, example, .. } in form::all_kinds() {
            assert!(read(example).is_ok() && example.contains(name), "{example}: {:?}", read(example));
        }
    }
}
