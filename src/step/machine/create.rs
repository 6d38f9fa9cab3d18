//! `machine_create`: hires a machine, and waits until steps can run on it.

use std::collections::BTreeMap;
use std::time::Duration;

use doppio_hosts::HostError;
use doppio_rented::Dollars;
use doppio_rented::Label;
use doppio_rented::MachineId;
use doppio_rented::MachineState;
use doppio_rented::Offer;
use doppio_rented::Order;
use doppio_rented::RentedError;
use doppio_rented::Vendor;
use doppio_rented::VendorName;
use doppio_text::shell::typed;

use crate::rentals::told;
use crate::step::Operation;
use crate::step::Outcome;
use crate::step::PlainText;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::field::Fields;
use crate::step::field::Number;
use crate::step::field::OpenEnv;
use crate::step::field::fields;
use crate::step::machine::choose;
use crate::step::machine::choose::Wish;
use crate::step::machine::choose::Wishes;
use crate::step::machine::existing::Existing;
use crate::step::machine::existing::Provider;
use crate::step::machine::existing::host_of;
use crate::step::machine::existing::in_sandbox;
use crate::step::machine::key;
use crate::step::machine::left::IfLeft;
use crate::step::machine::left::left;
use crate::step::machine::place::place;
use crate::step::machine::ready;
use crate::step::machine::unable::unable;
use crate::step::machine::watch;
use crate::step::machine::watch::Limits;

/// How long a machine that is of no use may take to be destroyed. With the waits of an order, it is less than what a
/// step that is told to stop has.
const DESTROY: Duration = Duration::from_secs(25);

fields! {
    /// What is hired, and on which terms.
    pub(in crate::step) struct Terms {
        /// The vendor's id of the offer that is taken.
        offer: Option<PlainText>,
        /// What the offer must be, in the vendor's own query language: `gpu_ram>=24 geolocation in [DE,FR]`.
        query: Option<PlainText>,
        /// The name of the GPUs, as in `RTX_4090`; that of `[target]` if it is left out.
        gpu: Option<PlainText>,
        /// How many GPUs; at least those of `[target]` if it is left out.
        gpus: Option<u32>,
        /// The size of its disk, in GB.
        disk_gb: u32 = 20,
        /// At most so many dollars an hour: nothing that costs more is hired.
        max_price: Option<Number>,
        /// Stops the machine after so many hours: a timer on the machine, so that it works with the laptop shut.
        max_hours: Option<Number>,
        /// Stops the machine when all its GPUs were less busy than this, in percent, for `idle_minutes`.
        idle_below: Option<u32>,
        /// How long they must be.
        idle_minutes: u32 = 20,
        /// Dollars an hour that are bid for a machine which somebody who pays more can take away.
        bid: Option<Number>,
        /// The public key that it lets in, or the path of one; the key that Doppio would offer first if it is left out.
        ssh_key: Option<PlainText>,
        /// Shell text for its first start.
        onstart: Option<PlainText>,
        env: OpenEnv,
        offers: Wishes,
        /// What happens when the same step of an earlier run has left a machine.
        if_exists: IfLeft = IfLeft::Error,
        /// Seconds until it must be ready.
        ready_timeout_secs: u64 = 1200,
    }
}

fields! {
    /// Hires a machine, and waits until steps can run on it. It is the run's target from then on. A machine that
    /// is of no use is destroyed.
    pub(in crate::step) struct MachineCreate {
        /// Who hires it out.
        provider: Provider,
        /// The image of its container. Lambda has none: its machines run its own system.
        image: Option<PlainText>,
        ..options: Terms,
    }
}

fields! {
    /// Hires a machine of vast.ai, and waits until steps can run on it. It is the run's target from then on. A
    /// machine that is of no use is destroyed.
    pub(in crate::step) struct VastCreate {
        /// The image of its container.
        image: PlainText,
        ..options: Terms,
    }
}

impl Operation for MachineCreate {
    const NAME: &'static str = "machine_create";
    const EXAMPLE: &'static str = "machine_create = { provider = \"vast\", gpu = \"RTX_4090\", max_price = 0.6, image = \"pytorch/pytorch\" }";

    fn makes_target(&self) -> bool {
        true
    }

    fn hires(&self) -> bool {
        true
    }

    fn show(&self) -> Vec<String> {
        self.options.shown(self.provider.into(), self.image.as_ref())
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        self.options.faults(self.provider.into(), self.image.as_ref())
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        self.options.hire(cx, self.provider.into(), self.image.as_ref()).await
    }
}

impl Operation for VastCreate {
    const NAME: &'static str = "vast_create";
    const EXAMPLE: &'static str =
        "vast_create = { gpu = \"RTX_4090\", max_price = 0.6, image = \"pytorch/pytorch\" }";

    fn makes_target(&self) -> bool {
        true
    }

    fn hires(&self) -> bool {
        true
    }

    fn show(&self) -> Vec<String> {
        self.options.shown(VendorName::Vast, Some(&self.image))
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        self.options.faults(VendorName::Vast, Some(&self.image))
    }

    async fn run(&self, cx: &mut StepContext) -> Result<Outcome, StepError> {
        self.options.hire(cx, VendorName::Vast, Some(&self.image)).await
    }
}

impl Terms {
    fn shown(&self, vendor: VendorName, image: Option<&PlainText>) -> Vec<String> {
        let mut first = vec![format!("hire at {}", vendor.shown())];
        first.extend(self.offer.as_ref().map(|offer| format!("offer {offer}")));
        let gpu = self.gpu.as_ref().map(ToString::to_string).or_else(|| self.offers.asked.gpu_type.clone());
        let count = self.gpus.map(u64::from).or(self.offers.asked.min_gpus);
        first.extend(match (count, gpu) {
            (Some(count), gpu) => Some(format!("{count} × {}", gpu.as_deref().unwrap_or("GPU"))),
            (None, gpu) => gpu,
        });
        first.extend(self.query.as_ref().map(|query| format!("`{query}`")));
        let mut lines = vec![first.join(", ")];
        lines.push(match image {
            Some(image) => format!("image {image}, disk {} GB", self.disk_gb),
            None => format!("disk of at least {} GB", self.disk_gb),
        });
        let is_said =
            |line: &String| ["offer ", "query ", "gpu "].iter().any(|begin| line.starts_with(begin));
        lines.extend(self.lines().into_iter().filter(|line| !is_said(line)));
        lines.push(self.worst());
        lines
    }

    /// What it costs at most, in words.
    fn worst(&self) -> String {
        let first = Wish {
            max_price: self.max_price.map(|most| most.0),
            bid: self.bid.map(|bid| bid.0),
            ..Wish::default()
        };
        let of = |wish: &Wish| {
            wish.bid.or(first.bid).or(Wish {
                max_price: wish.max_price.or(first.max_price),
                ..Wish::default()
            }
            .most(&self.offers.asked))
        };
        // The dearest of all that may be taken.
        let dearest = self.offers.wishes.iter().map(of).fold(of(&first), |most, next| Some(most?.max(next?)));
        let hours = self.max_hours.map(|most| most.0);
        match (dearest, hours) {
            (Some(most), Some(hours)) => format!(
                "at most {} an hour, for {hours} h: {} in the worst case",
                Dollars(most),
                Dollars(most * hours)
            ),
            (Some(most), None) => {
                format!("at most {} an hour, with no limit of hours (`max_hours`)", Dollars(most))
            }
            (None, Some(hours)) => format!("at any price (`max_price`), for at most {hours} h"),
            (None, None) => "at any price (`max_price`), with no limit of hours (`max_hours`)".to_owned(),
        }
    }

    fn faults(&self, vendor: VendorName, image: Option<&PlainText>) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let among = |is_given: fn(&Wish) -> bool| self.offers.wishes.iter().any(is_given);
        let given = [
            ("query", "query", self.query.is_some()),
            ("bid", "bid", self.bid.is_some()),
            ("offers", "query", among(|wish| wish.query.is_some())),
            ("offers", "bid", among(|wish| wish.bid.is_some())),
            ("onstart", "onstart", self.onstart.is_some()),
            ("env", "env", !self.env.0.is_empty()),
            ("max_hours", "max_hours", self.max_hours.is_some()),
            ("idle_below", "idle_below", self.idle_below.is_some()),
            ("image", "image", image.is_some()),
        ];
        let given = given.into_iter().filter(|(_, _, is_given)| *is_given);
        faults.extend(given.filter_map(|(at, field, _)| Some((at, unable(vendor, field)?))));
        if image.is_none() && vendor != VendorName::Lambda {
            faults.push(("image", format!("a machine of {} needs an `image`", vendor.shown())));
        }
        if let Some(Err(why)) = self.query.as_ref().and_then(PlainText::fixed).map(|query| {
            let wish = Wish { query: Some(query.to_owned()), ..Wish::default() };
            wish.search(vendor, &self.offers.asked, self.disk_gb.into()).map(drop)
        }) {
            faults.push(("query", why));
        }
        let own = self.onstart.as_ref().and_then(PlainText::fixed);
        if let Some(why) = watch::too_long(&watch::on_start(self.limits(), None, own), own) {
            faults.push(("onstart", format!("{why}: {}", watch::SHORTER)));
        }
        for (name, number) in
            [("max_price", self.max_price), ("max_hours", self.max_hours), ("bid", self.bid)]
        {
            if number.is_some_and(|number| number.0 <= 0.0) {
                faults.push((name, format!("`{name}` must be more than 0")));
            }
        }
        faults
    }

    async fn hire(
        &self,
        cx: &mut StepContext,
        vendor: VendorName,
        image: Option<&PlainText>,
    ) -> Result<Outcome, StepError> {
        if let Some(outcome) = in_sandbox(cx, "hired").await {
            return Ok(outcome);
        }
        let client = cx.unless_stopped(cx.rentals.vendor(vendor)).await?.map_err(HostError::from)?;
        // Without a key nothing is hired.
        let named = self.ssh_key.as_ref().map(|key| cx.text(key)).transpose()?;
        let key = key::public_key(cx, named.as_deref(), vendor).await?;
        if let Some(id) = left(cx, &client, self.if_exists).await? {
            return self.take_over(cx, Existing { id, vendor: client }, &key).await;
        }
        let label = Label::of_step(&cx.values.run, &cx.step)
            .map_err(|error| StepError::failed(format!("no label could be made: {error}")))?
            .of_recipe(&cx.values.recipe);
        let label = label.to_string();
        let (id, offer, price) = self.order(cx, client.as_ref(), image, (&label, &key)).await?;
        // From here on it costs money: whatever happens, it is known, and used or destroyed.
        cx.pool.welcome(&host_of(&id)?);
        cx.report(Report::Rented(host_of(&id)?, price)).await;
        cx.notice(&format!("hired `{id}`: {}", described(&offer, price))).await;
        let machine = Existing { id, vendor: client };
        match self.prepare(cx, &machine, &key).await {
            Ok(seen) => Ok(Outcome { outputs: seen.outputs(&machine.id, price), ..Outcome::success() }),
            Err(error) => Err(give_up(cx, &machine, error).await),
        }
    }

    async fn prepare(
        &self,
        cx: &mut StepContext,
        machine: &Existing,
        key: &str,
    ) -> Result<ready::Seen, StepError> {
        match cx.unless_stopped(machine.vendor.attach_key(&machine.id, key)).await? {
            Ok(()) | Err(RentedError::Unable { .. }) => {}
            // It is attached again when it is refused.
            Err(error) if error.may_pass() => {}
            Err(error) => return Err(told(&error).into()),
        }
        ready::wait(cx, machine, Duration::from_secs(self.ready_timeout_secs)).await
    }

    /// The machine of an earlier run is this run's. It is not destroyed when it is of no use: what is on it
    /// may be.
    async fn take_over(
        &self,
        cx: &mut StepContext,
        machine: Existing,
        key: &str,
    ) -> Result<Outcome, StepError> {
        let Existing { id, vendor } = &machine;
        let found = cx.unless_stopped(vendor.show(id)).await?.map_err(|error| told(&error))?;
        if matches!(found.state, MachineState::Stopped | MachineState::Exited) {
            cx.unless_stopped(vendor.start(id)).await?.map_err(|error| told(&error))?;
        }
        let price = found.per_hour.map(|price| price.0);
        cx.report(Report::Rented(host_of(id)?, price)).await;
        cx.notice(&format!("`{id}`, which an earlier run hired, is used again")).await;
        let seen = self.prepare(cx, &machine, key).await.map_err(|error| ready::kept(id, error))?;
        Ok(Outcome { outputs: seen.outputs(id, price), ..Outcome::success() })
    }

    /// Hires the first offer that can be had.
    async fn order(
        &self,
        cx: &mut StepContext,
        vendor: &dyn Vendor,
        image: Option<&PlainText>,
        (label, key): (&str, &str),
    ) -> Result<(MachineId, Offer, Option<f64>), StepError> {
        let (asked, disk_gb) = (&self.offers.asked, f64::from(self.disk_gb));
        let mut taken = 0;
        let mut last: Option<StepError> = None;
        let wishes = self.wishes(cx)?;
        let own = self.onstart.as_ref().map(|text| cx.text(text)).transpose()?;
        let base = cx.rentals.base(VendorName::Vast);
        let on_start = watch::on_start(self.limits(), base.as_deref(), own.as_deref());
        if let Some(why) = watch::too_long(&on_start, own.as_deref()) {
            return Err(StepError::hinted(why, watch::SHORTER));
        }
        for wish in &wishes {
            cx.progress(&format!("looking for {}", wish.words())).await;
            let offers = match choose::offers(cx, vendor, wish, asked, disk_gb).await {
                Ok(offers) => offers,
                Err(stopped @ StepError::Stopped(_)) => return Err(stopped),
                Err(error) => {
                    last = Some(error);
                    continue;
                }
            };
            for offer in offers {
                let price = wish.bid.or(offer.per_hour.map(|price| price.0));
                let order = Order {
                    public_key: Some(key.to_owned()),
                    ..self.placed(cx, vendor.name(), (&offer, wish), image, label, &on_start)?
                };
                cx.progress(&format!("hiring {}", described(&offer, price))).await;
                cx.unless_stopped(std::future::ready(())).await?;
                match place(cx, vendor, &order).await? {
                    Ok(id) => return Ok((id, offer, price)),
                    Err(RentedError::OfferTaken { .. }) => taken += 1,
                    Err(error) => {
                        if let RentedError::LeftOver { id, .. } = &error {
                            cx.report(Report::Rented(host_of(id)?, None)).await;
                        }
                        return Err(told(&error).into());
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| {
            let words: Vec<String> = wishes.iter().map(Wish::words).collect();
            let error = HostError::new(format!("{} has no offer of this kind", vendor.name().shown()))
                .cause(format!("looked for {}", words.join("; or ")));
            let error = if taken > 0 { error.cause(words_of_taken(taken)) } else { error };
            StepError::Host(
                error.hint(format!(
                    "see what there is: {}",
                    typed(["doppio", vendor.name().as_str(), "search"])
                )),
            )
        }))
    }

    /// When the machine stops itself.
    fn limits(&self) -> Limits {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is more than 0")]
        let most_secs = self.max_hours.map(|hours| (hours.0 * 3600.0) as u64);
        Limits { most_secs, idle: self.idle_below.map(|below| (below, self.idle_minutes)) }
    }

    fn wishes(&self, cx: &StepContext) -> Result<Vec<Wish>, StepError> {
        let text = |text: &Option<PlainText>| text.as_ref().map(|text| cx.text(text)).transpose();
        let first = Wish {
            offer: text(&self.offer)?,
            query: text(&self.query)?,
            gpu: text(&self.gpu)?,
            gpus: self.gpus.map(u64::from),
            max_price: self.max_price.map(|most| most.0),
            bid: self.bid.map(|bid| bid.0),
        };
        let is_named = first.offer.is_some() || first.query.is_some() || first.gpu.is_some();
        let own = self.offers.wishes.iter().map(|wish| Wish {
            max_price: wish.max_price.or(first.max_price),
            gpus: wish.gpus.or(first.gpus),
            bid: wish.bid.or(first.bid),
            ..wish.clone()
        });
        let own: Vec<Wish> = own.collect();
        // Without a wish of its own, the list says all.
        Ok(if is_named || own.is_empty() { std::iter::once(first).chain(own).collect() } else { own })
    }

    fn placed(
        &self,
        cx: &StepContext,
        vendor: VendorName,
        (offer, wish): (&Offer, &Wish),
        image: Option<&PlainText>,
        label: &str,
        on_start: &str,
    ) -> Result<Order, StepError> {
        let mut env = BTreeMap::new();
        for (name, text) in &self.env.0 {
            env.insert(name.to_string(), cx.text(text)?);
        }
        let image = image.map(|image| cx.text(image)).transpose()?.unwrap_or_default();
        Ok(Order {
            bid: wish.bid.map(Dollars),
            env,
            // The others run none, and the plan has refused what would need one.
            on_start: (vendor == VendorName::Vast).then(|| on_start.to_owned()),
            ..Order::new(&offer.id, &image, self.disk_gb.into(), label)
        })
    }
}

/// A machine that is of no use is destroyed, also when the run is being stopped.
async fn give_up(cx: &mut StepContext, machine: &Existing, error: StepError) -> StepError {
    let id = &machine.id;
    let search = typed(["doppio", id.vendor.as_str(), "search"]);
    let error = ready::hinted(
        error,
        format!("hire another machine: {search}; a larger image takes longer: `ready_timeout_secs`"),
    );
    let why = match machine.destroy(DESTROY).await {
        Ok(()) => {
            if let Ok(host) = host_of(id) {
                cx.report(Report::Returned(host, 0.0)).await;
            }
            cx.notice(&format!("`{id}` was destroyed: it is of no use")).await;
            return error;
        }
        Err(failed) => failed,
    };
    let by_hand = typed(["doppio", id.vendor.as_str(), "destroy", &id.to_string()]);
    cx.notice(&format!("`{id}` could not be destroyed, and costs money: {why}; destroy it with {by_hand}"))
        .await;
    error
}

fn words_of_taken(count: u32) -> String {
    match count {
        1 => "an offer was taken by others while it was hired".to_owned(),
        count => format!("{count} offers were taken by others while they were hired"),
    }
}

fn described(offer: &Offer, price: Option<f64>) -> String {
    let mut words = vec![format!("offer {}", offer.id)];
    words.extend(match (offer.gpu_count, &offer.gpu) {
        (Some(count), Some(gpu)) => Some(format!("{count} × {gpu}")),
        _ => None,
    });
    words.extend(offer.region.clone());
    words.extend(price.map(|price| format!("{} an hour", Dollars(price))));
    words.join(", ")
}
