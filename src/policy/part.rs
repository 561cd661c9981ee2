//! The one table of what a policy is made of: every part with its own options, what they mean and where it comes from.
//!
//! A part is declared in its own file and listed in the table of its kind; its options stand beside it. An option is a
//! typed field of [`Settings`] that text is read into once. Several parts may share an option.
//!
//! ```
//! use gigawatt::history::Settings;
//! use gigawatt::policy::part::{Kind, parts};
//! let easy = parts().find(|part| part.kind == Kind::Backfill && part.name == "easy").unwrap();
//! let mut settings = Settings::named("fifo", "easy", "pack");
//! easy.options[0].read(&mut settings, "2").unwrap();
//! assert_eq!(settings.policy(), "fifo/easy/pack/reservations=2");
//! ```

use super::order::expression::{self, Expression};
use super::{PRESETS, backfill, hold, order, placement, power, preemption};
use crate::error::Problem;
use crate::history::Settings;
use crate::units::Seconds;
use std::collections::BTreeSet;

/// What a part decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Which job goes next.
    Order,
    /// Which jobs may pass a blocked one.
    Backfill,
    /// Where a job goes.
    Placement,
    /// Which jobs wait for cheap or clean hours.
    Hold,
    /// What is done about caps.
    Power,
    /// Which jobs yield when the grid takes power away.
    Curtail,
    /// Which running jobs stop for others.
    Preemption,
}

impl Kind {
    /// Every kind, in the order in which a policy names them.
    pub const ALL: [Self; 7] = [
        Self::Order,
        Self::Backfill,
        Self::Placement,
        Self::Hold,
        Self::Power,
        Self::Curtail,
        Self::Preemption,
    ];
    /// The key of `[policy]` that names a part of this kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Backfill => "backfill",
            Self::Placement => "placement",
            Self::Hold => "hold",
            Self::Power => "power",
            Self::Curtail => "curtail",
            Self::Preemption => "preemption",
        }
    }
    /// The question that a part of this kind answers.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Order => "which job goes next",
            Self::Backfill => {
                "which jobs may pass a blocked one (with --cycle: policy.event_backfill, at events between)"
            }
            Self::Placement => "where a job goes",
            Self::Hold => "which jobs wait for cheap or clean hours",
            Self::Power => "what is done about caps",
            Self::Curtail => "which jobs yield when the grid takes power away",
            Self::Preemption => "which running jobs stop for others (without it: what the order implies)",
        }
    }
    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
    /// Every part of this kind.
    pub fn parts(self) -> impl Iterator<Item = Part> {
        parts().filter(move |part| part.kind == self)
    }
    /// The name of the part of this kind; of preemption also where the order implies it.
    #[must_use]
    pub fn of(self, settings: &Settings) -> &str {
        match self {
            Self::Order => &settings.order,
            Self::Backfill => &settings.backfill,
            Self::Placement => &settings.placement,
            Self::Hold => &settings.hold,
            Self::Power => &settings.power,
            Self::Curtail => &settings.curtail,
            Self::Preemption => {
                settings.preemption.as_deref().unwrap_or_else(|| preemption::implied(&settings.order))
            }
        }
    }
    /// Names the part of this kind.
    pub fn set(self, settings: &mut Settings, name: &str) {
        let place = match self {
            Self::Order => &mut settings.order,
            Self::Backfill => &mut settings.backfill,
            Self::Placement => &mut settings.placement,
            Self::Hold => &mut settings.hold,
            Self::Power => &mut settings.power,
            Self::Curtail => &mut settings.curtail,
            Self::Preemption => {
                settings.preemption = Some(name.to_owned());
                return;
            }
        };
        name.clone_into(place);
    }
    /// Whether `name` is a part of this kind; weights are a placement too, and expressions an order.
    #[must_use]
    pub fn knows(self, name: &str) -> bool {
        match self {
            Self::Order => order::named(name).is_some(),
            Self::Placement => placement::is_known(name),
            _ => self.parts().any(|part| part.name == name),
        }
    }
}

/// Whose weights the parts that settings name read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WeightsRead {
    /// Those of tenants.
    pub of_tenants: bool,
    /// Those of queues.
    pub of_queues: bool,
}

impl WeightsRead {
    /// By the parts that settings name.
    #[must_use]
    pub fn by(settings: &Settings) -> Self {
        let of_tenants = order::reads_weights(settings);
        Self {
            of_tenants,
            of_queues: of_tenants || order::takes_turns(settings) || preemption::reads_weights(settings),
        }
    }
    /// By these or others.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { of_tenants: self.of_tenants || other.of_tenants, of_queues: self.of_queues || other.of_queues }
    }
}

/// A part of a policy: what `list policies` tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// What it decides.
    pub kind: Kind,
    /// Unique among parts of its kind.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
}

impl Part {
    /// Whether it is the one that settings name, and has its options there: those of expressions are about what varies.
    fn is_chosen_by(&self, settings: &Settings) -> bool {
        let name = self.kind.of(settings);
        if self.kind != Kind::Order || self.name != expression::NAME {
            return self.name == name;
        }
        order::named(name).is_some_and(|entry| entry.name == expression::NAME) && order::varies(name)
    }
}

/// An option of a part: a key of `[policy]`, read into a field of [`Settings`].
#[derive(Debug, Clone, Copy)]
pub struct PartOption {
    /// Unique among all options, kinds of parts and weights.
    pub name: &'static str,
    /// What its number counts.
    pub unit: &'static str,
    /// What it is if nothing is said, as it would be written.
    pub default: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// What may be written, for whom something else was.
    pub(super) expected: &'static str,
    pub(super) read: fn(&mut Settings, &str) -> Option<()>,
    pub(super) show: fn(&Settings) -> String,
}

impl PartOption {
    /// Reads a value as it is written after `name=`: lists as `80,89`, times by kind as `eval=12h,other=1h`.
    ///
    /// # Errors
    /// It is not what was expected; nothing is then changed.
    pub fn read(&self, settings: &mut Settings, text: &str) -> Result<(), Box<Problem>> {
        let wrong = || {
            let found = if text.is_empty() { "nothing".to_owned() } else { format!("`{text}`") };
            Box::new(Problem::new(format!("`{}`: expected {}, found {found}", self.name, self.expected)))
        };
        (self.read)(settings, text.trim()).ok_or_else(wrong)
    }
    /// Its value, as [`PartOption::read`] reads it.
    #[must_use]
    pub fn show(&self, settings: &Settings) -> String {
        (self.show)(settings)
    }
    /// What may be written as its value.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
    /// The parts that have it.
    pub fn owners(&self) -> impl Iterator<Item = Part> + use<> {
        let name = self.name;
        parts().filter(move |part| part.options.iter().any(|option| option.name == name))
    }
}

/// Every part of every kind.
pub fn parts() -> impl Iterator<Item = Part> {
    let orders = order::ORDERS.iter().map(order::ListedOrder::part);
    let backfills = backfill::BACKFILLS.iter().map(backfill::ListedBackfill::part);
    let placements = placement::PLACEMENTS.iter().map(placement::ListedPlacement::part);
    let holds = hold::HOLDS.iter().map(hold::ListedHold::part);
    let powers = power::POWERS.iter().map(power::ListedPower::part);
    let curtails = power::CURTAILS.iter().map(power::curtail::ListedCurtail::part);
    let preemptions = preemption::PREEMPTIONS.iter().map(preemption::ListedPreemption::part);
    orders.chain(backfills).chain(placements).chain(holds).chain(powers).chain(curtails).chain(preemptions)
}

/// Every option of any part, each once.
#[must_use]
pub fn options() -> Vec<PartOption> {
    distinct(parts())
}

/// The options of the parts that settings name, each once.
#[must_use]
pub fn options_of(settings: &Settings) -> Vec<PartOption> {
    distinct(parts().filter(|part| part.is_chosen_by(settings)))
}

fn distinct(parts: impl Iterator<Item = Part>) -> Vec<PartOption> {
    let mut seen = BTreeSet::new();
    parts.flat_map(|part| part.options).copied().filter(|option| seen.insert(option.name)).collect()
}

/// Checks that settings from elsewhere, such as a saved run, name parts that exist, with options that can be.
///
/// # Errors
/// The first that does not or cannot.
pub fn check(settings: &Settings) -> Result<(), Box<Problem>> {
    for kind in Kind::ALL {
        let name = kind.of(settings);
        // Runs of a version that knew no such kind say nothing about it.
        let is_left_out = name.is_empty() && [Kind::Hold, Kind::Power, Kind::Curtail].contains(&kind);
        if !is_left_out && !kind.knows(name) {
            return Err(unknown(kind, name));
        }
    }
    if cannot_rank_running(settings) {
        return Err(ranks_what_varies(settings, "preemption=none"));
    }
    if let Some(event) = &settings.event_backfill {
        let known = Kind::Backfill.knows(event);
        if !known || !backfill::serves_events(event, &settings.backfill) {
            return Err(if known { not_at_events(settings, event) } else { unknown(Kind::Backfill, event) });
        }
    }
    let mut settings = settings.clone();
    for option in options_of(&settings) {
        let text = option.show(&settings);
        option.read(&mut settings, &text)?;
    }
    Ok(())
}

/// Whether running jobs would be ranked by keys that change while jobs wait: two jobs could stop each other for ever.
#[must_use]
pub fn cannot_rank_running(settings: &Settings) -> bool {
    order::varies(&settings.order) && preemption::is_ranked(settings)
}

/// What to say of such an order; `without` takes the preemption back.
#[must_use]
pub fn ranks_what_varies(settings: &Settings, without: &str) -> Box<Problem> {
    let (order, preemption) = (&settings.order, Kind::Preemption.of(settings));
    let told = format!(
        "order `{order}` changes while jobs wait: preemption `{preemption}` cannot rank running jobs by it"
    );
    Box::new(Problem::new(told).hint(format!("`{without}`, or an order that stays, such as `priority`")))
}

/// What to say of a backfill that passes at events cannot have.
#[must_use]
pub fn not_at_events(settings: &Settings, event: &str) -> Box<Problem> {
    let of_cycle = &settings.backfill;
    let found = format!("`event_backfill`: `{event}`, and passes of the cycle have backfill `{of_cycle}`");
    Box::new(Problem::new(found).hint(format!("at events: `none`, or the cycle's own, `{of_cycle}`")))
}

/// What to say of an option whose parts, its `owners`, are others than those that settings name; `instead` chooses the first.
#[must_use]
pub fn has_no_part(option: &PartOption, owners: &[Part], settings: &Settings, instead: &str) -> Box<Problem> {
    let (kind, name) = (owners.first().map_or(Kind::Order, |first| first.kind), option.name);
    let chosen = kind.of(settings);
    let is_listed = kind.parts().any(|part| part.name == chosen);
    if !is_listed && owners.iter().any(|owner| owner.name == expression::NAME) {
        let said = format!("`{name}`: `{chosen}` reads nothing that changes while jobs wait");
        return Box::new(Problem::new(said).hint("leave it out, or let the expression read `wait`"));
    }
    let names: Vec<String> = owners.iter().map(|owner| format!("`{}`", owner.name)).collect();
    let (kind, names) = (kind.name(), names.join(" and "));
    let said = format!("`{name}` is an option of {kind} {names}, and {kind} is `{chosen}`");
    Box::new(Problem::new(said).hint(format!("`{instead}`")))
}

/// What to say of a name that no part of a kind has.
#[must_use]
pub fn unknown(kind: Kind, name: &str) -> Box<Problem> {
    if kind == Kind::Order
        && expression::is_meant(name)
        && let Err(problem) = Expression::read(name)
    {
        return problem;
    }
    let problem = Problem::new(format!("unknown {} `{name}`", kind.name()));
    if kind == Kind::Order && name == expression::NAME {
        return Box::new(problem.hint("one is written in its place, such as `requested_time * gpus`"));
    }
    if kind == Kind::Order && PRESETS.iter().any(|preset| preset.name == name) {
        let hint = format!("`{name}` is a preset: other parts go beside it by name, `{name}/placement=pack`");
        return Box::new(problem.hint(hint));
    }
    Box::new(problem.hint_nearest(name, kind.parts().map(|part| part.name)))
}

/// What a time may be written as.
pub(super) const TIME: &str = "a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds";

/// Seconds, as they are written.
pub(super) fn seconds(text: &str) -> Option<u32> {
    text.parse::<Seconds>().ok().map(|seconds| seconds.0)
}

/// A span of time without units that are zero: `1h`, `2h30m`.
pub(crate) fn span(seconds: u32) -> String {
    let units = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m")];
    let mut text: String =
        units.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if !seconds.is_multiple_of(60) || seconds == 0 {
        text.push_str(&format!("{}s", seconds % 60));
    }
    text
}

/// Numbers with commas between them, ascending; in brackets or not.
pub(super) fn ascending(text: &str) -> Option<Vec<u64>> {
    in_order(text).filter(|numbers| numbers.windows(2).all(|pair| pair[0] < pair[1]))
}

/// The same, of which some may be equal.
pub(super) fn in_order(text: &str) -> Option<Vec<u64>> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let numbers: Option<Vec<u64>> = inner.split(',').map(|number| number.trim().parse().ok()).collect();
    numbers.filter(|numbers| numbers.is_sorted())
}

/// Numbers as [`ascending`] reads them.
pub(super) fn listed(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

/// At least one.
pub(super) fn count(text: &str) -> Option<u32> {
    text.parse().ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::TERMS;

    #[test]
    fn every_name_means_one_thing() {
        for kind in Kind::ALL {
            let names: BTreeSet<&str> = kind.parts().map(|part| part.name).collect();
            assert_eq!(names.len(), kind.parts().count(), "{kind:?}");
            assert!(kind.parts().count() >= 2, "{kind:?}: a choice");
        }
        let kinds = Kind::ALL.map(Kind::name);
        let words = kinds.into_iter().chain(options().into_iter().map(|option| option.name));
        let words: Vec<&str> = words.chain(TERMS.iter().map(|term| term.name)).collect();
        let distinct: BTreeSet<&str> = words.iter().copied().collect();
        assert_eq!(distinct.len(), words.len(), "`-p` tells kinds, options and weights by name: {words:?}");
    }

    #[test]
    fn parts_say_what_they_do_and_options_what_they_mean() {
        for part in parts() {
            assert!(!part.about.is_empty() && !part.source.is_empty(), "{part:?}");
        }
        let usual = Settings::named("", "", "");
        for option in options() {
            assert_eq!(option.show(&usual), option.default, "{}", option.name);
            assert!(!option.unit.is_empty() && !option.about.is_empty(), "{option:?}");
            let mut settings = usual.clone();
            option.read(&mut settings, option.default).unwrap();
            assert_eq!(settings, usual, "{}: its default changes nothing", option.name);
        }
    }

    #[test]
    fn an_option_refuses_what_it_cannot_be() {
        for (name, wrong) in [
            ("priority_step", vec!["soon", "-1", ""]),
            ("rank_period", vec!["0s", "often", "-1"]),
            ("half_life", vec!["0", "long", ""]),
            ("weight_age", vec!["-1", "1.5", "much"]),
            ("max_age", vec!["0s", "old"]),
            ("favored_size", vec!["medium", "true"]),
            ("queue_limits", vec!["7200,3250", "5,5", "-1", "", "a"]),
            ("lengths", vec!["0", "0,3", "5,3", "all", ""]),
            ("service", vec!["gpus", ""]),
            ("reservations", vec!["0", "-1", "all", "2.5"]),
            ("depth", vec!["0", "many", ""]),
            ("window", vec!["soon", "-1", ""]),
            ("resolution", vec!["0s", "fine", ""]),
            ("max_jobs", vec!["0", "many", ""]),
            ("power_period", vec!["0", "0s", "x"]),
            ("power_thresholds", vec!["90,80", "5,50", "80", "80,101", "1,2,3"]),
            ("max_delay", vec!["12h", "eval", "evil=1h", "eval=soon", ""]),
        ] {
            let option = options().into_iter().find(|option| option.name == name).unwrap();
            for text in wrong {
                let mut settings = Settings::named("", "", "");
                let told = option.read(&mut settings, text).unwrap_err();
                assert!(told.message().starts_with(&format!("`{name}`: expected ")), "{}", told.message());
                assert_eq!(settings, Settings::named("", "", ""), "{name}={text}: nothing is changed");
            }
        }
    }

    #[test]
    fn settings_that_name_what_does_not_exist_are_told() {
        let settings = Settings::named("fifo", "easy", "leftover=3");
        assert!(check(&settings).is_ok(), "weights are a placement");
        let old = Settings { hold: String::new(), power: String::new(), curtail: String::new(), ..settings };
        assert!(check(&old).is_ok(), "a run of a version without caps");
        let wrong: [fn(&mut Settings); 9] = [
            |settings| settings.order = "strf".to_owned(),
            |settings| settings.backfill.clear(),
            |settings| settings.placement = "pak".to_owned(),
            |settings| settings.hold = "x".to_owned(),
            |settings| settings.power = "x".to_owned(),
            |settings| settings.preemption = Some("x".to_owned()),
            |settings| settings.event_backfill = Some("conservative".to_owned()),
            |settings| settings.reservations = Some(0),
            |settings| {
                (settings.order, settings.preemption) = ("wfp3".to_owned(), Some("ranked".to_owned()));
            },
        ];
        for (index, wrong) in wrong.iter().enumerate() {
            let mut settings = old.clone();
            wrong(&mut settings);
            assert!(check(&settings).is_err(), "case {index}");
        }
    }
}
