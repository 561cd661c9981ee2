use super::pieces::{Piece, pieces};
use super::placement;
use crate::document::{Mark, Placed};
use crate::error::{Problem, nearest_hint};
use crate::history::{Plan, Settings};
use crate::policy::backfill::{reserves, serves_events};
use crate::policy::hold::{HOLDS, may_hold};
use crate::policy::order::expression::{self, is_meant, without_spaces};
use crate::policy::part::{self, Kind, PartOption, WeightsRead, unknown};
use crate::policy::power::is_capped;
use crate::policy::{PRESETS, Preset, System, keeps_to_one_platform, order, preemption};

/// The policy of a scenario that names none.
const DEFAULT: [(Kind, &str); 3] =
    [(Kind::Order, "fifo"), (Kind::Backfill, "easy"), (Kind::Placement, "best-fit")];

/// Where something about a policy is said; later ones beat earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nowhere, or in what a policy is put on top of.
    Inherited,
    /// In the file.
    File,
    /// By `--policy`.
    Policy,
    /// By a key of its own on the command line.
    Setting,
}

/// How a name came to be chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) level: Level,
    pub(super) mark: Option<Mark>,
    /// By its own name, and not by that of a preset.
    by_name: bool,
}

impl Origin {
    pub(super) const fn new(level: Level, mark: Option<Mark>) -> Self {
        Self { level, mark, by_name: true }
    }
    const fn inherited() -> Self {
        Self { level: Level::Inherited, mark: None, by_name: false }
    }
}

/// An option that somebody set.
#[derive(Debug, Clone)]
struct Given {
    option: PartOption,
    origin: Origin,
    /// Whether a part that has it is chosen in the end, or, of what a file says, where it is said.
    fits: bool,
}

/// A problem, and where it is if it stands in a document.
pub(super) type Found = (Option<Mark>, Box<Problem>);

/// What is chosen of a policy and where that is said: what other policies of the same scenario are put on top of.
#[derive(Debug, Clone)]
pub struct Choices {
    settings: Settings,
    origins: [Origin; Kind::ALL.len()],
    given: Vec<Given>,
    /// Where the backfill of passes at events is told.
    event_mark: Option<Mark>,
    /// Kinds whose part could not be told: what belongs to them is not judged.
    unclear: Vec<Kind>,
    /// Whose weights are read by what a file chooses, or what was chosen since then.
    weights_read: WeightsRead,
}

impl Choices {
    /// Nothing is chosen: the usual policy.
    pub(super) fn usual(mut settings: Settings) -> Self {
        DEFAULT.iter().for_each(|(kind, name)| kind.set(&mut settings, name));
        Self::on(settings)
    }
    /// Everything is inherited from settings.
    fn on(settings: Settings) -> Self {
        let origins = [Origin::inherited(); Kind::ALL.len()];
        Self {
            settings,
            origins,
            given: Vec::new(),
            event_mark: None,
            unclear: Vec::new(),
            weights_read: WeightsRead::default(),
        }
    }
    /// Chooses the backfill of passes at events, if it is told.
    pub(super) fn at_events(&mut self, event: Option<Placed<String>>) {
        self.event_mark = event.as_ref().map(|event| event.mark);
        self.settings.event_backfill = event.map(|event| event.value);
    }

    /// The settings under another policy, put on top of what the scenario says; on the plan of that scenario.
    ///
    /// # Errors
    /// A name that is not known, an option of a part that is not chosen, or a part that can do nothing here.
    pub fn under(&self, text: &str, plan: &Plan) -> Result<Settings, Box<Problem>> {
        let mut choices = Self::on(self.settings.clone());
        choices.apply(text, Origin::new(Level::Policy, None))?;
        let settings = choices.settle();
        if let Some((_, problem)) = choices.misfits(&settings).into_iter().next() {
            return Err(problem);
        }
        match choices.idle(&settings, plan, true).into_iter().next() {
            Some((_, problem)) => Err(problem),
            None => Ok(settings),
        }
    }

    /// Whose weights are read by what a file chooses, or what was chosen since then; also those that a part might read which is
    /// not known.
    pub(super) fn weights_read(&self) -> WeightsRead {
        let unclear = |kind: Kind| self.unclear.contains(&kind);
        let of_tenants = unclear(Kind::Order);
        self.weights_read.or(WeightsRead { of_tenants, of_queues: of_tenants || unclear(Kind::Preemption) })
    }
    const fn origin(&self, kind: Kind) -> Origin {
        self.origins[kind as usize]
    }
    fn put(&mut self, kind: Kind, name: &str, origin: Origin) {
        kind.set(&mut self.settings, name);
        self.origins[kind as usize] = origin;
    }
    /// A part was named, and nobody knows which.
    pub(super) fn mark_unclear(&mut self, kind: Kind) {
        self.unclear.push(kind);
    }

    /// Chooses a part by its name; an empty one leaves it.
    pub(super) fn name(&mut self, kind: Kind, name: &str, origin: Origin) -> Result<(), Box<Problem>> {
        if name.is_empty() {
            return Ok(());
        }
        if kind == Kind::Placement {
            self.put(kind, &placement::named(name)?, origin);
            return Ok(());
        }
        if !kind.knows(name) {
            return Err(unknown(kind, name));
        }
        let name = if kind == Kind::Order { without_spaces(name) } else { name.to_owned() };
        self.put(kind, &name, origin);
        Ok(())
    }

    /// Sets an option.
    pub(super) fn option(
        &mut self,
        option: PartOption,
        text: &str,
        origin: Origin,
    ) -> Result<(), Box<Problem>> {
        option.read(&mut self.settings, text)?;
        self.given.retain(|given| given.option.name != option.name);
        self.given.push(Given { option, origin, fits: false });
        Ok(())
    }

    /// Chooses the parts that a preset names.
    pub(super) fn preset(&mut self, name: &str, origin: Origin) -> Result<(), Box<Problem>> {
        let origin = Origin { by_name: false, ..origin };
        let Some(Preset { order, backfill, system, .. }) = PRESETS.iter().find(|preset| preset.name == name)
        else {
            if Kind::Order.knows(name) {
                let problem = Problem::new(format!("`{name}` is an order, and no preset"));
                return Err(Box::new(
                    problem.hint(format!("`policy.order` or `--policy` takes it: `-p {name}`")),
                ));
            }
            if is_meant(name) || name == expression::NAME {
                return Err(unknown(Kind::Order, name));
            }
            let names = PRESETS.iter().map(|preset| preset.name);
            let orders = Kind::Order.parts().map(|part| part.name).filter(|name| *name != expression::NAME);
            let hint = nearest_hint(name, names.chain(orders));
            let hint = format!("{}; parts work too: `sjf/easy/pack`", hint.trim_end_matches('?'));
            return Err(Box::new(Problem::new(format!("unknown policy `{name}`")).hint(hint)));
        };
        self.put(Kind::Order, order, origin);
        self.put(Kind::Backfill, backfill, origin);
        if let Some(System { placement, preemption, options, .. }) = system {
            self.put(Kind::Placement, placement, origin);
            // A whole system stops jobs as it says, or as its order does.
            self.settings.preemption = preemption.map(str::to_owned);
            self.origins[Kind::Preemption as usize] = origin;
            for (name, value) in *options {
                let option = part::options().into_iter().find(|option| option.name == *name);
                let option = option.expect("presets name options that exist: a test looks at each");
                self.option(option, value, origin)?;
            }
        }
        Ok(())
    }

    /// Chooses what `--policy` says: a preset or parts in their order, parts by name, and options.
    pub(super) fn apply(&mut self, text: &str, origin: Origin) -> Result<(), Box<Problem>> {
        pieces(text)?.into_iter().try_for_each(|piece| match piece {
            Piece::Preset(name) => self.preset(name, origin),
            Piece::Part(kind, name) => self.name(kind, name, origin),
            Piece::Named(key, value) => self.named(key, value, origin),
        })
    }

    /// A part or an option by its name.
    fn named(&mut self, key: &str, value: &str, origin: Origin) -> Result<(), Box<Problem>> {
        if let Some(option) = part::options().into_iter().find(|option| option.name == key) {
            return self.option(option, value, origin);
        }
        let Some(kind) = Kind::named(key) else {
            let options = part::options().into_iter().map(|option| option.name);
            let known = Kind::ALL.into_iter().map(Kind::name).chain(options);
            let problem = Problem::new(format!("unknown part or option `{key}`"));
            return Err(Box::new(problem.hint_nearest(key, known.chain(placement::terms()))));
        };
        if value.is_empty() {
            let names: Vec<&str> = kind.parts().map(|part| part.name).collect();
            let problem = Problem::new(format!("`{key}=` without a name"));
            return Err(Box::new(problem.hint(format!("known: {}", names.join(", ")))));
        }
        self.name(kind, value, origin)
    }

    /// The settings as chosen so far; notes which options belong to a part that is chosen now.
    ///
    /// Under preemption `ranked` the backfill is `skip`, unless another one is asked for: see [`Choices::misfits`].
    pub(super) fn settle(&mut self) -> Settings {
        let mut settings = self.settings.clone();
        let implied = preemption::implied(&settings.order);
        // What is implied anyway is not kept, so that equal policies are equal settings.
        settings.preemption = settings.preemption.filter(|preemption| preemption != implied);
        if self.is_ranked() && !self.backfill_is_asked_for() {
            Kind::Backfill.set(&mut settings, "skip");
        }
        self.weights_read = self.weights_read.or(WeightsRead::by(&settings));
        let options = part::options_of(&settings);
        for given in &mut self.given {
            // What a file says of a part that the command line replaces is kept quietly; a command line that takes back
            // what it says itself is a mistake.
            given.fits &= given.origin.level <= Level::File;
            given.fits |= options.iter().any(|option| option.name == given.option.name);
        }
        settings
    }

    fn is_ranked(&self) -> bool {
        preemption::is_ranked(&self.settings)
    }

    /// Whether a backfill is chosen where the ranking is, or later: not by what that was put on top of.
    fn backfill_is_asked_for(&self) -> bool {
        let ranking = match self.settings.preemption {
            Some(_) => self.origin(Kind::Preemption),
            None => self.origin(Kind::Order),
        };
        let backfill = self.origin(Kind::Backfill);
        backfill.level > ranking.level || backfill.by_name && backfill.level == ranking.level
    }

    /// What does not go together: options without their part, a backfill where jobs are ranked.
    pub(super) fn misfits(&self, settings: &Settings) -> Vec<Found> {
        let mut found = Vec::new();
        // What a preset says goes with its parts, and quietly without them.
        for given in self.given.iter().filter(|given| !given.fits && given.origin.by_name) {
            let owners: Vec<_> = given.option.owners().collect();
            let Some(first) = owners.first().filter(|owner| !self.unclear.contains(&owner.kind)) else {
                continue;
            };
            let instead = choice(given.origin, first.kind, first.name);
            found.push((given.origin.mark, part::has_no_part(&given.option, &owners, settings, &instead)));
        }
        found.extend(self.reserves_in_vain(settings));
        let backfill = settings.backfill.as_str();
        if self.is_ranked() && part::cannot_rank_running(settings) && !self.unclear.contains(&Kind::Order) {
            let origin = self.origin(Kind::Preemption);
            found.push((
                origin.mark,
                part::ranks_what_varies(settings, &choice(origin, Kind::Preemption, "none")),
            ));
        }
        let is_clear =
            ![Kind::Order, Kind::Backfill, Kind::Preemption].iter().any(|kind| self.unclear.contains(kind));
        if is_clear
            && let Some(event) = settings.event_backfill.as_ref()
            && !serves_events(event, backfill)
        {
            found.push((self.event_mark, part::not_at_events(settings, event)));
        }
        if is_clear && self.is_ranked() && backfill != "skip" {
            let why = match settings.preemption {
                Some(ref preemption) => format!("preemption `{preemption}`"),
                None => format!("preemption `ranked`, which order `{}` implies,", settings.order),
            };
            let origin = self.origin(Kind::Backfill);
            let (off, skip) =
                (choice(origin, Kind::Preemption, "none"), choice(origin, Kind::Backfill, "skip"));
            let problem = Problem::new(format!(
                "backfill `{backfill}` does nothing under {why} where only `skip` means anything"
            ));
            let hint = format!("`{off}` keeps order and backfill, `{skip}` keeps the preemption");
            found.push((origin.mark, Box::new(problem.hint(hint))));
        }
        let by_order = order::misfit(settings).map(|problem| (Kind::Order, problem));
        let by_preemption = preemption::misfit(settings).map(|problem| (Kind::Preemption, problem));
        for (kind, problem) in by_order.into_iter().chain(by_preemption).filter(|_| is_clear) {
            let origins = [self.origin(Kind::Backfill), self.origin(kind)];
            found.push((
                origins.into_iter().max_by_key(|origin| origin.level).and_then(|of| of.mark),
                problem,
            ));
        }
        found
    }

    /// A backfill that reserves for times to come, under a placement that knows none of them.
    fn reserves_in_vain(&self, settings: &Settings) -> Option<Found> {
        let (placement, backfill) = (settings.placement.as_str(), settings.backfill.as_str());
        let clear = ![Kind::Placement, Kind::Backfill].iter().any(|kind| self.unclear.contains(kind));
        let reserves = clear && reserves(backfill) && placement::knows_now_alone(placement);
        let later = [Kind::Placement, Kind::Backfill].map(|kind| self.origin(kind));
        let [at_placement, at_backfill] = later;
        let origin = if at_backfill.level > at_placement.level { at_backfill } else { at_placement };
        reserves.then(|| {
            let problem = Problem::new(format!(
                "placement `{placement}` goes by the pods that are on a node now, and backfill `{backfill}` \
                 reserves for times to come"
            ));
            let hint = format!("`{}` goes with it", choice(origin, Kind::Backfill, "skip"));
            (origin.mark, Box::new(problem.hint(hint)))
        })
    }

    /// Parts that can do nothing on a plan, though they are asked for; where `[power]` could not be read whole, what is
    /// not there says nothing.
    pub(super) fn idle(&self, settings: &Settings, plan: &Plan, power_is_whole: bool) -> Vec<Found> {
        let mut found = Vec::new();
        let mut push = |kind: Kind, said: String, hint: &str| {
            found.push((self.origin(kind).mark, Box::new(Problem::new(said).hint(hint))));
        };
        let asked = |kind: Kind| self.origin(kind).by_name;
        let hold = settings.hold.as_str();
        if HOLDS.iter().any(|entry| entry.name == hold && entry.lacks_signal(plan)) && power_is_whole {
            let hint = "`[power]` says it: `tariff` for prices, `carbon` for what energy emits";
            push(Kind::Hold, format!("hold `{hold}`, and nothing to go by at any site"), hint);
        } else if asked(Kind::Hold) && hold != "none" && !may_hold(settings, &plan.workload) {
            let hint = "`max_delay` says how long, such as `max_delay = { eval = \"12h\" }` in `[policy]`";
            push(Kind::Hold, format!("hold `{hold}`, and no job may be held back"), hint);
        }
        let priorities = || plan.workload.jobs.iter().map(|job| job.priority);
        let is_given = |given: &&Given| given.option.name == "weight_priority" && given.fits;
        let weighs = settings.order == "multifactor" && settings.factors.weight_priority > 0;
        if let Some(given) =
            self.given.iter().find(is_given).filter(|_| weighs && priorities().min() == priorities().max())
        {
            let problem = Problem::new("`weight_priority`, and all jobs have the same priority");
            found.push((
                given.origin.mark,
                Box::new(problem.hint("`priority` of a job or a template sets one")),
            ));
        }
        let mut push = |kind: Kind, said: String, hint: &str| {
            found.push((self.origin(kind).mark, Box::new(Problem::new(said).hint(hint))));
        };
        let (power, curtail) = (settings.power.as_str(), settings.curtail.as_str());
        if asked(Kind::Power) && !["none", "admit"].contains(&power) && !is_capped(&plan.cluster) {
            let hint = "`cap` of a site, feed or rack sets one, such as `cap = \"750 kW\"`";
            push(Kind::Power, format!("power `{power}` is about caps, and the cluster has none"), hint);
        }
        if asked(Kind::Curtail) && plan.cluster.curtailments.is_empty() && power_is_whole {
            let hint = "`[[power.curtailment]]` makes one";
            push(Kind::Curtail, format!("curtail `{curtail}`, and the grid takes no power away"), hint);
        } else if asked(Kind::Curtail)
            && power == "none"
            && self.origin(Kind::Curtail).level >= self.origin(Kind::Power).level
        {
            let hint = "`power = \"admit\"` heeds them";
            push(Kind::Curtail, format!("curtail `{curtail}`, and power `none` heeds no curtailment"), hint);
        }
        if let Some((kind, said, hint)) = keeps_to_one_platform(settings, plan) {
            push(kind, said, hint);
        }
        if asked(Kind::Preemption)
            && let Some((said, hint)) = preemption::idle(settings, plan)
        {
            push(Kind::Preemption, said, hint);
        }
        if asked(Kind::Order)
            && let Some((said, hint)) = order::idle(settings, plan)
        {
            push(Kind::Order, said, hint);
        }
        found
    }
}

/// How a part is named where something else was said.
fn choice(origin: Origin, kind: Kind, name: &str) -> String {
    match origin.level {
        Level::File => format!("{} = \"{name}\"", kind.name()),
        Level::Inherited | Level::Policy => format!("{}={name}", kind.name()),
        Level::Setting => format!("--set policy.{}={name}", kind.name()),
    }
}

/// Changes `settings` to the policy that `text` names: a preset, or its parts as
/// `order/backfill/placement/hold/power/curtail/preemption`, or either with parts and options by their names.
///
/// What is left out stays: `sjf/easy` keeps the placement, `//pack` changes nothing else, and `easy/power=cap` is the
/// preset with another answer to caps. A preset names order and backfill; only one that is a whole system, such as
/// `tiresias`, names the placement too. Weights of the cost function are a placement too: `//leftover=3,energy=1`. An
/// option stands beside its part: `easy/reservations=2`.
///
/// ```
/// use gigawatt::history::Settings;
/// use gigawatt::scenario::apply_policy;
/// let mut settings = Settings::default();
/// apply_policy(&mut settings, "sjf/easy/pack/reservations=2").unwrap();
/// assert_eq!((settings.order.as_str(), settings.placement.as_str()), ("sjf", "pack"));
/// apply_policy(&mut settings, "curtail=drain/power=cap").unwrap();
/// assert_eq!(settings.policy(), "sjf/easy/pack/power=cap/curtail=drain/reservations=2");
/// let problem = apply_policy(&mut settings, "strf/easy").unwrap_err();
/// assert_eq!(problem.message(), "unknown order `strf`");
/// let problem = apply_policy(&mut settings, "fcfs/reservations=2").unwrap_err();
/// assert!(problem.message().ends_with("and backfill is `none`"));
/// ```
///
/// # Errors
/// A name that is not known, an option of a part that is not chosen, or parts that do not go together.
pub fn apply(settings: &mut Settings, text: &str) -> Result<(), Box<Problem>> {
    let mut choices = Choices::on(settings.clone());
    choices.apply(text, Origin::new(Level::Policy, None))?;
    let settled = choices.settle();
    if let Some((_, problem)) = choices.misfits(&settled).into_iter().next() {
        return Err(problem);
    }
    *settings = settled;
    Ok(())
}
