//! Storing the tokens that were found, and what to write in their place.

use std::collections::BTreeSet;
use std::path::Path;

use doppio_secrets::SecretRef;
use doppio_secrets::naming;
use doppio_secrets::scan::Finding;
use doppio_secrets::scan::Report;
use doppio_secrets::scan::What;
use doppio_secrets::source::Remark;
use doppio_secrets::vendor;
use doppio_text::exact;
use doppio_text::name::EnvName;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::scan::allow::Allowed;
use crate::cli::secret::sources;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Wish;

/// A token that was found, and the name under which it is stored.
struct Token<'a> {
    finding: &'a Finding,
    name: SecretName,
    variable: Option<EnvName>,
}

/// Stores what was found and is not stored, each under its well-known name, and says what to write where it
/// stands. `context` must be that of a running runtime.
pub(super) async fn adopt(
    yes: bool,
    lookup: &LookupArgs,
    report: &Report,
    allowed: &Allowed,
    context: &Context,
) -> Result<(), CliError> {
    let is_token =
        |finding: &&Finding| matches!(finding.hit.what, What::Shape(_)) && !allowed.covers(finding);
    let (mut tokens, mut unknown) = (Vec::new(), Vec::new());
    for finding in report.findings.iter().filter(is_token) {
        match name_of(finding) {
            Some(name) => {
                let variable = naming::variable_of(&SecretRef::from(name.clone()));
                tokens.push(Token { finding, name, variable });
            }
            None => unknown.push(finding),
        }
    }
    for finding in unknown {
        output::line(&format!(
            "note: nothing says which secret `{}` holds: store it with `doppio secret set NAME`",
            place(finding)
        ));
    }
    if report.findings.is_empty() {
        return Ok(());
    }
    if tokens.is_empty() {
        return Err(CliError::usage("no token was found that has a name of its own and is not stored"));
    }
    let items = tokens.iter().filter_map(|token| {
        let value = token.finding.hit.text.clone()?;
        Some(transfer::item(&token.name, place(token.finding), value, Remark::default()))
    });
    let ladder = lookup::ladder(context, &context.cwd, lookup)?;
    let target = sources::target(&ladder, None).await?;
    let plan = transfer::plan(&ladder, target, items.collect(), false).await?;
    let wish = Wish { replaces: false, dry_run: false, yes };
    if !plan.carry_out(wish, context).await? {
        return Ok(());
    }
    // Only of what is stored now may the file's copy go.
    let arrived: BTreeSet<&SecretName> = plan.arrivals().filter_map(|item| item.name.as_ref()).collect();
    tokens.retain(|token| arrived.contains(&token.name));
    if tokens.is_empty() {
        return complaint(&plan);
    }
    for token in &tokens {
        let Some(variable) = &token.variable else { continue };
        output::text(&format!("{}: write {}\n", place(token.finding), replacement(token, variable)))?;
    }
    let mut names: Vec<&str> = tokens.iter().map(|token| token.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let command = typed(["doppio", "secret", "exec"].into_iter().chain(names).chain(["--", "COMMAND"]));
    output::line(&format!("run the program with {command}"));
    output::line("what stood in a file may have been read: `doppio secret rotate NAME` replaces it");
    complaint(&plan)
}

/// What was not stored; `scan` has none of the options that `import` has for that.
fn complaint(plan: &transfer::Plan<'_>) -> Result<(), CliError> {
    plan.complain().map_err(|error| CliError {
        hints: vec![
            "to keep it as well, store it under a name of its own: `doppio secret set NAME`".to_owned(),
        ],
        ..error
    })
}

/// The secret that a token is, by its own looks or by where it stands.
fn name_of(finding: &Finding) -> Option<SecretName> {
    let What::Shape(kind) = finding.hit.what else { return None };
    let own = finding.hit.text.as_ref().and_then(vendor::recognise);
    own.or_else(|| vendor::of_kind(kind))?.name.parse().ok()
}

fn place(finding: &Finding) -> String {
    format!("{}:{}", exact(&finding.path), finding.hit.line)
}

/// What a program of this file's language reads the variable with.
fn replacement(token: &Token<'_>, variable: &EnvName) -> String {
    let path = String::from_utf8_lossy(&token.finding.path).into_owned();
    let file = Path::new(&path);
    let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let end = file.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    match end.as_str() {
        "py" | "ipynb" | "pyi" => format!("`os.environ[\"{variable}\"]`, with `import os`"),
        "js" | "ts" | "mjs" | "cjs" | "jsx" | "tsx" => format!("`process.env.{variable}`"),
        "go" => format!("`os.Getenv(\"{variable}\")`"),
        "rs" => format!("`std::env::var(\"{variable}\")?`"),
        "rb" => format!("`ENV.fetch(\"{variable}\")`"),
        "java" | "kt" | "scala" => format!("`System.getenv(\"{variable}\")`"),
        "r" => format!("`Sys.getenv(\"{variable}\")`"),
        "jl" => format!("`ENV[\"{variable}\"]`"),
        "yml" | "yaml" if path.contains(".github/") => format!("`${{{{ secrets.{variable} }}}}`"),
        "toml" => format!("`${{secret:{}}}` in a recipe, `${variable}` elsewhere", token.name),
        _ if name.starts_with("dockerfile") => {
            format!("`RUN --mount=type=secret,id={variable},env={variable} …`")
        }
        _ if name.contains(".env") => "nothing: remove the line".to_owned(),
        "yml" | "yaml" | "json" | "ini" | "cfg" | "conf" => {
            format!("`${{{variable}}}`, if its reader fills in variables")
        }
        _ => format!("`\"${variable}\"`"),
    }
}
