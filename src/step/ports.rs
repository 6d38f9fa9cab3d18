//! `forward`: ports of a step's host that are open on this machine while the step or what depends on it
//! runs.

use tokio::sync::mpsc;

use doppio_hosts::ForwardEvent;
use doppio_hosts::NotAForward;
use doppio_hosts::PortForward;
use doppio_secrets::Mask;
use doppio_text::name::HostId;
use doppio_text::name::StepId;

use crate::step::Report;
use crate::step::Site;
use crate::step::StepContext;
use crate::step::StepError;

/// A forwarded port as a recipe has it, written out: `6006` is `6006:localhost:6006`.
///
/// # Errors
///
/// When the text is not one.
pub fn forwarded_port(text: &str) -> Result<String, NotAForward> {
    let forward: PortForward = text.parse()?;
    Ok(format!("{}:{forward}", forward.local))
}

impl StepContext {
    /// Opens the ports that the step wants, where an earlier attempt has not; says where they are.
    pub(crate) async fn open_ports(&self, wanted: &[String], site: Site<'_>) -> Result<(), StepError> {
        let Site::Host(field) = site else { return Ok(()) };
        if wanted.is_empty() || self.ports.are_open() {
            return Ok(());
        }
        let wanted = wanted.iter().map(|text| text.parse());
        let wanted: Vec<PortForward> = wanted
            .collect::<Result<_, NotAForward>>()
            .map_err(|error| StepError::failed(error.to_string()))?;
        let host = self.host_id(field)?;
        let (events, happened) = mpsc::unbounded_channel();
        let opening = Box::pin(self.pool.forward(&host, &wanted, events));
        let Some(forwarding) = self.unless_stopped(opening).await?? else {
            self.notice(&format!("`{host}` runs on this machine: its ports are here already")).await;
            return Ok(());
        };
        for (local, to) in forwarding.ports() {
            self.notice(&format!("{local} leads to {to} on `{host}`")).await;
        }
        self.ports.keep(forwarding);
        tokio::spawn(self.notices().tell(host, happened));
        Ok(())
    }

    fn notices(&self) -> Notices {
        Notices { step: self.step.clone(), mask: self.secrets.mask().clone(), reports: self.reports.clone() }
    }
}

/// What tells the user of ports after the attempt that opened them.
struct Notices {
    step: StepId,
    mask: Mask,
    reports: mpsc::Sender<(StepId, Report)>,
}

impl Notices {
    /// Until the ports are closed, or nobody listens any more.
    async fn tell(self, host: HostId, mut happened: mpsc::UnboundedReceiver<ForwardEvent>) {
        while let Some(event) = happened.recv().await {
            let text = match event {
                ForwardEvent::Lost(why) => {
                    format!(
                        "the connection of its forwarded ports to `{host}` broke: {why}; connecting again"
                    )
                }
                ForwardEvent::Back => format!("its forwarded ports lead to `{host}` again"),
                ForwardEvent::Refused(error) => {
                    error.causes.iter().fold(error.message, |text, cause| text + ": " + cause)
                }
            };
            let report = Report::Notice(self.mask.text(&text));
            if self.reports.send((self.step.clone(), report)).await.is_err() {
                return;
            }
        }
    }
}
