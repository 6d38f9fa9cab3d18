//! Programs that hand a job to somebody else together with their environment.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;

/// What to say before such a program gets secrets; none for any other.
pub(super) fn warning(program: &OsStr, arguments: &[OsString]) -> Option<String> {
    let name = Path::new(program).file_name()?.to_str()?;
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let pairs = || words.windows(2).map(|pair| (pair[0], pair[1]));
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let keeps = match name {
        // `srun` and `salloc` pass it over the network and leave no copy on the controller's disk.
        "sbatch" => {
            let is_none = |value: &str| matches!(value, "NONE" | "NIL");
            let is_off = words.iter().any(|word| word.strip_prefix("--export=").is_some_and(is_none))
                || pairs().any(|(option, value)| option == "--export" && is_none(value));
            !is_off
        }
        "qsub" => has(&["-V"]) || words.iter().any(|word| word.starts_with("-v")),
        "bsub" => !pairs().any(|(option, value)| option == "-env" && value == "none"),
        "at" | "batch" => true,
        _ => false,
    };
    keeps.then(|| {
        format!(
            "warning: `{name}` stores its environment with the job, secrets in clear, where the scheduler keeps \
             its jobs; submit without them (`sbatch --export=NONE`), and let the job's script fetch them where it \
             runs: `doppio secret exec VARIABLE=REF -- COMMAND`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warns(line: &str) -> bool {
        let mut words = line.split(' ').map(OsString::from);
        let program = words.next().unwrap();
        warning(&program, &words.collect::<Vec<_>>()).is_some()
    }

    // case J16
    #[test]
    fn who_keeps_the_environment_of_a_job_is_told() {
        for line in
            ["sbatch job.sh", "/usr/bin/sbatch --export=ALL job.sh", "qsub -V job.sh", "bsub ./job", "at now"]
        {
            assert!(warns(line), "{line}");
        }
        for line in [
            "sbatch --export=NONE job.sh",
            "sbatch --export NIL job.sh",
            "srun ./a",
            "qsub job.sh",
            "python sbatch",
        ] {
            assert!(!warns(line), "{line}");
        }
    }
}
