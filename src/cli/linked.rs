//! Files that are somewhere else than their names say. A link in a repository of others may lead to any
//! file of the user's: one that is not a recipe is not quoted.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::shell::typed;

use crate::cli::error::CliError;

/// The faults of a recipe's file, or of a file of values; where its name is a link and it is neither,
/// only that.
pub(super) fn faults(path: &Path, source: Source, faults: Vec<Diagnostic>) -> CliError {
    match real(path).filter(|_| faults.iter().any(is_of_no_recipe)) {
        Some(real) => CliError::usage(format!(
            "`{}` is a link to `{}`, which is not a recipe: its text is not shown",
            path.display(),
            real.display()
        ))
        .hint(format!(
            "{} shows what is wrong with it",
            typed(["doppio", "check", &real.display().to_string()])
        )),
        None => CliError::faults(source, faults),
    }
}

/// Whether a fault says that the text is not a recipe, rather than that something in it is wrong.
fn is_of_no_recipe(fault: &Diagnostic) -> bool {
    let has_no_head = fault.code == "recipe::no-name" && fault.primary.span == (0..0);
    has_no_head || matches!(fault.code, "recipe::syntax" | "recipe::not-utf-8")
}

/// Where a file is, if a link is in the part of its path that this command was given. What leads to the
/// working folder is the user's own, and so is what leads to the folder of an absolute path.
fn real(path: &Path) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    let named = if path.is_absolute() {
        path.parent()?.canonicalize().ok()?.join(path.file_name()?)
    } else {
        Path::new(".").canonicalize().ok()?.join(path)
    };
    (real != without_dots(&named)).then_some(real)
}

fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_known_by_its_name_or_that_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("x"), "x").unwrap();
        std::os::unix::fs::symlink(inside.join("x"), folder.path().join("y")).unwrap();
        assert_eq!(real(&inside.join("x")), None);
        assert_eq!(real(&folder.path().join("y")), Some(inside.join("x").canonicalize().unwrap()));
        assert_eq!(real(&folder.path().join("none")), None);
        assert_eq!(without_dots(Path::new("/a/b/./../c")), Path::new("/a/c"));
    }
}
