//! Whether a condition holds.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use regex::Regex;

use doppio_hosts::Exec;
use doppio_hosts::HostError;
use doppio_hosts::Interpreter;
use doppio_text::shell::quote;
use doppio_text::shell::quote_path;

use crate::event::End;
use crate::step::HostText;
use crate::step::Reference;
use crate::step::ShellText;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::TextPart;
use crate::step::Value;
use crate::step::condition::kinds::Condition;
use crate::step::condition::kinds::Pattern;
use crate::step::condition::kinds::ReadVariable;
use crate::step::condition::kinds::regex;
use crate::step::tmux;
use crate::step::values::KEPT_MIB;

impl Condition {
    /// Looks, once; on the host `usual` where it names none.
    ///
    /// # Errors
    ///
    /// When it is not known: the host is out of reach, or a secret is not available.
    pub(in crate::step) fn holds<'a>(
        &'a self,
        cx: &'a mut StepContext,
        usual: Option<&'a HostText>,
    ) -> BoxFuture<'a, Result<bool, StepError>> {
        async move {
            match self {
                Self::Always => Ok(true),
                Self::Never => Ok(false),
                Self::Not(inner) => Ok(!inner.holds(cx, usual).await?),
                Self::And(all) => {
                    for inner in all {
                        if !inner.holds(cx, usual).await? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                }
                Self::Or(any) => {
                    for inner in any {
                        if inner.holds(cx, usual).await? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                }
                Self::VarEquals { name, value } => Ok(variable(cx, name)? == cx.text(value)?),
                Self::VarMatches { name, pattern } => {
                    let pattern = parsed(cx, pattern)?;
                    Ok(pattern.is_match(&variable(cx, name)?))
                }
                Self::HostOnline { host_id } => match cx.host(host_id.as_ref().or(usual)).await {
                    Ok(_) => Ok(true),
                    Err(StepError::Host(_)) => Ok(false),
                    Err(other) => Err(other),
                },
                Self::CommandSucceeds { host_id, command } => {
                    Ok(run(cx, host_id.as_ref().or(usual), command).await?.is_some())
                }
                Self::OutputMatches { host_id, command, pattern } => {
                    let pattern = parsed(cx, pattern)?;
                    match run(cx, host_id.as_ref().or(usual), command).await? {
                        None => Ok(false),
                        Some(Value::Plain(output)) => Ok(pattern.is_match(&output)),
                        Some(Value::Secret(_)) => Err(StepError::failed(
                            "the command printed a secret, and its output can't be compared",
                        )),
                    }
                }
                Self::TmuxAlive { session_name, .. } => {
                    let look = tmux::alive(cx, &cx.text(&session_name.0)?)?;
                    ask(cx, self.host().or(usual), look).await
                }
                Self::TmuxExited { session_name, .. } => {
                    let look = tmux::alive(cx, &cx.text(&session_name.0)?)?;
                    Ok(!ask(cx, self.host().or(usual), look).await?)
                }
                _ => {
                    let interpreter = Interpreter { shell: "sh".to_owned(), login: false };
                    let look = Exec { interpreter, ..Exec::new(self.script(cx)?) };
                    ask(cx, self.host().or(usual), look).await
                }
            }
        }
        .boxed()
    }

    /// A script of ours whose exit code says whether it holds.
    fn script(&self, cx: &StepContext) -> Result<String, StepError> {
        Ok(match self {
            Self::FileExists { path, .. } => format!("test -e {}", quote_path(&cx.text(path)?)),
            Self::FileContains { path, pattern, .. } => {
                format!("grep -q -e {} -- {}", quote(&cx.text(pattern)?), quote_path(&cx.text(path)?))
            }
            Self::PortOpen { port, .. } => format!(
                "if command -v nc >/dev/null 2>&1; then nc -z -w 2 127.0.0.1 {port}; \
                 else bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'; fi 2>/dev/null"
            ),
            Self::GpuAvailable { min_count, .. } => {
                format!(
                    "n=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU '); test \"${{n:-0}}\" -ge {min_count}"
                )
            }
            Self::GdriveMounted { mount_path, .. } => {
                format!("mountpoint -q -- {}", quote_path(&cx.text(mount_path)?))
            }
            _ => return Err(StepError::failed(format!("`{self}` has no script"))),
        })
    }
}

/// Asks the host with a script of ours, whose exit code is the answer.
async fn ask(cx: &mut StepContext, host: Option<&HostText>, script: Exec) -> Result<bool, StepError> {
    let host = cx.host(host).await?;
    let ended = cx.ask(&host, script).await?;
    succeeded(&ended.end)
}

/// Runs the user's command quietly; its standard output if it ended with 0.
async fn run(
    cx: &mut StepContext,
    host: Option<&HostText>,
    command: &ShellText,
) -> Result<Option<Value>, StepError> {
    let host = cx.host(host).await?;
    let (script, env) = cx.script(command).await?;
    let ended = cx.ask(&host, Exec { env, ..Exec::new(script) }).await?;
    if ended.cut.stdout {
        return Err(StepError::failed(format!("the command printed more than {KEPT_MIB} MiB")));
    }
    Ok(succeeded(&ended.end)?.then_some(ended.stdout))
}

/// An answer by exit code. A lost connection is not an answer, and the host can be asked again.
fn succeeded(end: &End) -> Result<bool, StepError> {
    match end {
        End::Exit { code } => Ok(*code == 0),
        End::Lost { cause, .. } => {
            Err(HostError::new("the connection was lost").cause(cause.as_str().to_owned()).into())
        }
        _ => Ok(false),
    }
}

/// What a variable holds; one that no step has set yet is empty.
fn variable(cx: &StepContext, variable: &ReadVariable) -> Result<String, StepError> {
    let ReadVariable { name, value } = variable;
    let text = &value.0;
    if let [TextPart::Reference(Reference::Variable { name, .. })] = text.parts.as_slice()
        && !cx.values.variables.contains_key(name)
    {
        return Ok(String::new());
    }
    cx.values.fill(text, cx.host.as_ref(), |_| {
        StepError::failed(format!("variable `{name}` holds a secret and can't be compared"))
    })
}

fn parsed(cx: &StepContext, pattern: &Pattern) -> Result<Regex, StepError> {
    regex(&cx.text(&pattern.0)?).map_err(StepError::failed)
}
