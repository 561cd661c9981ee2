//! Tariff, demand charge, carbon and battery: those of `[power]` for every site, less what `[power.site.NAME]` says.

use super::super::files::Files;
use super::file::{Numbers, SeriesFile};
use super::quantity::{Days, DemandPrice, Efficiency, Energy, EnergyPrice, Hours, Intensity, MonthNames};
use crate::cluster::Cluster;
use crate::cluster::grid::{Battery, Calendar, Demand, Grid, Months, Rule, Signal, Weekdays, Zone};
use crate::document::{Document, Item, Mark, Placed, Read, Table};
use crate::error::Problem;
use crate::history::Settings;
use crate::units::{Seconds, Time, Watts};
use crate::workload::Workload;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When a run takes place.
#[derive(Debug, Clone, Copy)]
pub(in crate::scenario) struct Span {
    /// Unix seconds of second 0; none: no date is known.
    pub(super) epoch: Option<i64>,
    /// The last instant that is certainly reached.
    pub(super) last: Time,
    /// When the run is cut off; none: it ends by itself.
    pub(super) until: Option<Time>,
}

impl Span {
    pub(in crate::scenario) fn of(
        workload: Option<&Workload>,
        start: Option<i64>,
        settings: &Settings,
    ) -> Self {
        // Where the jobs could not be read, their dates are not missing.
        let dates = workload.map_or(Some(0), |workload| workload.epoch);
        let submits = workload.into_iter().flat_map(|workload| &workload.jobs).map(|job| job.submit_time);
        let last = submits.max().unwrap_or_default();
        let until = settings.until.map(Time);
        Self { epoch: start.or(dates), last: until.map_or(last, |until| last.min(until)), until }
    }
    /// How far what comes again and again is written out: to the end of the run; where nobody says when that is, to a
    /// year after the last job comes.
    pub(super) fn horizon(&self) -> Time {
        const A_YEAR: Seconds = Seconds(366 * 86_400);
        self.until.unwrap_or(self.last + A_YEAR)
    }
}

/// How a quantity is written.
#[derive(Debug, Clone, Copy)]
struct Kind {
    key: &'static str,
    /// What a price in rules is called.
    value: &'static str,
    numbers: Numbers,
    read: fn(&Item<'_>) -> Option<i64>,
}

const TARIFF: Kind = Kind {
    key: "tariff",
    value: "price",
    numbers: Numbers { decimals: 6, least: -Signal::MAX, most: Signal::MAX },
    read: |item| item.read::<EnergyPrice>().map(|price| price.value.0),
};
const CARBON: Kind = Kind {
    key: "carbon",
    value: "intensity",
    numbers: Numbers { decimals: 3, least: 0, most: 1_000_000_000 },
    read: |item| item.read::<Intensity>().map(|intensity| intensity.value.0),
};

/// What a site says of itself; none: as `[power]` does.
#[derive(Debug, Clone, Default)]
struct Draft {
    price: Option<Wish>,
    carbon: Option<Wish>,
    demand: Option<Placed<Demand>>,
    battery: Option<Battery>,
    offsets: Option<Vec<(i64, i32)>>,
}

/// A signal before its clock is known.
#[derive(Debug, Clone)]
enum Wish {
    Fixed(Signal),
    Rules { rules: Vec<Rule>, base: i64, mark: Mark },
}

/// Reads what `[power]` says of the grid into the cluster.
pub(super) fn read(
    document: &Document,
    power: &mut Table<'_>,
    cluster: Option<&mut Cluster>,
    span: Span,
    files: &mut Files,
) {
    let mut reader = Reader { document, span, files };
    let base = reader.draft(power);
    let mut own: Vec<(Placed<String>, Draft)> = Vec::new();
    for (name, mut site) in power.named_tables("site") {
        let draft = reader.draft(&mut site);
        site.finish();
        own.push((name, draft));
    }
    let Some(cluster) = cluster else { return };
    for (name, _) in &own {
        if !cluster.sites.iter().any(|site| site.name == name.value) {
            let problem = Problem::new(format!("unknown site `{}`", name.value));
            let known = cluster.sites.iter().map(|site| site.name.as_str());
            document.complain(name.mark, problem.hint_nearest(name, known));
        }
    }
    let grid = |site: &crate::cluster::Site| {
        let own = own.iter().find(|(name, _)| name.value == site.name).map(|(_, draft)| draft.clone());
        let own = own.unwrap_or_default();
        let base = base.clone();
        reader.resolve(Draft {
            price: own.price.or(base.price),
            carbon: own.carbon.or(base.carbon),
            demand: own.demand.or(base.demand),
            battery: own.battery.or(base.battery),
            offsets: own.offsets.or(base.offsets),
        })
    };
    let grids: Vec<Grid> = cluster.sites.iter().map(grid).collect();
    if grids.iter().any(|grid| *grid != Grid { clock: grid.clock.clone(), ..Grid::default() }) {
        cluster.grids = grids;
    }
}

struct Reader<'a> {
    document: &'a Document,
    span: Span,
    files: &'a mut Files,
}

impl Reader<'_> {
    fn draft(&mut self, table: &mut Table<'_>) -> Draft {
        Draft {
            price: table.item(TARIFF.key).and_then(|item| self.signal(item, TARIFF)),
            carbon: table.item(CARBON.key).and_then(|item| self.signal(item, CARBON)),
            demand: table.item("demand").and_then(|item| self.demand(item)),
            battery: table.table("battery").and_then(|table| self.battery(table)),
            offsets: table.optional::<String>("zone").and_then(|name| self.offsets(&name)),
        }
    }

    fn resolve(&self, draft: Draft) -> Grid {
        let zone = |epoch| Zone { epoch, offsets: draft.offsets.clone().unwrap_or_default() };
        let clock = self.span.epoch.map(zone);
        let dated = |mark: Mark, what: &str| {
            if clock.is_none() {
                self.document.complain(mark, undated(what));
            }
            clock.clone()
        };
        let signal = |wish: Wish| match wish {
            Wish::Fixed(signal) => Some(signal),
            Wish::Rules { rules, base, mark } => {
                let zone = dated(mark, "prices by the hour of the day")?;
                Some(Signal::Calendar(Calendar { zone, rules, base }))
            }
        };
        Grid {
            price: draft.price.and_then(signal),
            carbon: draft.carbon.and_then(signal),
            demand: draft
                .demand
                .and_then(|demand| dated(demand.mark, "a charge by the month").map(|_| demand.value)),
            battery: draft.battery,
            clock: clock.clone(),
        }
    }

    /// A constant, a file, or rules.
    fn signal(&mut self, item: Item<'_>, kind: Kind) -> Option<Wish> {
        if !item.is_table() {
            return (kind.read)(&item).map(|value| Wish::Fixed(Signal::Constant(value)));
        }
        let mark = item.mark();
        let mut table = item.table()?;
        let wish = if table.has("file") {
            let series = SeriesFile::of(&mut table)
                .and_then(|file| file.series(kind.numbers, self.document, self.span, self.files));
            series.map(|series| Wish::Fixed(Signal::Series(series)))
        } else {
            let base = table.required_item("base").and_then(|item| (kind.read)(&item));
            let rules = self.rules(&mut table, kind);
            base.zip(rules).map(|(base, rules)| Wish::Rules { rules, base, mark })
        };
        table.finish();
        wish
    }

    fn rules(&self, table: &mut Table<'_>, kind: Kind) -> Option<Vec<Rule>> {
        let mut rules = Vec::new();
        let mut whole = true;
        for mut rule in table.tables("rule") {
            let value = rule.required_item(kind.value).and_then(|item| (kind.read)(&item));
            let hours = or_all::<Hours>(&mut rule, "hours", Hours(0xff_ffff), &mut whole);
            let days = or_all::<Days>(&mut rule, "days", Days(Weekdays::ALL.0), &mut whole);
            let months = or_all::<MonthNames>(&mut rule, "months", MonthNames(Months::ALL.0), &mut whole);
            rule.finish();
            match value {
                Some(value) => rules.push(Rule {
                    value,
                    hours: hours.0,
                    days: Weekdays(days.0),
                    months: Months(months.0),
                }),
                None => whole = false,
            }
        }
        whole.then_some(rules)
    }

    fn demand(&self, item: Item<'_>) -> Option<Placed<Demand>> {
        let mark = item.mark();
        let interval = Seconds(900);
        if !item.is_table() {
            let price = item.read::<DemandPrice>()?.value.0;
            return Some(Placed { value: Demand { price, interval }, mark });
        }
        let mut table = item.table()?;
        let price = table.required::<DemandPrice>("price");
        let given = table.optional::<Seconds>("interval");
        table.finish();
        let interval = given.as_ref().map_or(interval, |given| given.value);
        if interval.0 == 0 || 86_400 % interval.0 != 0 {
            let mark = given.map_or(mark, |given| given.mark);
            let problem = Problem::new(format!("a day is not a number of intervals of {} s", interval.0));
            self.document.complain(mark, problem.hint("such as `15m` or `1h`"));
            return None;
        }
        Some(Placed { value: Demand { price: price?.value.0, interval }, mark })
    }

    fn battery(&self, mut table: Table<'_>) -> Option<Battery> {
        let capacity = table.required::<Energy>("capacity");
        let power = table.required::<Watts>("power");
        let threshold = table.required::<Watts>("threshold");
        let efficiency = table.value_or("efficiency", Efficiency(1_000_000));
        let charge = table.optional::<Energy>("charge");
        table.finish();
        let (capacity, power, threshold) = (capacity?, power?, threshold?);
        if capacity.value.0 == 0 {
            self.document.complain(capacity.mark, Problem::new("a battery that holds nothing"));
            return None;
        }
        if let Some(charge) = charge.as_ref().filter(|charge| charge.value.0 > capacity.value.0) {
            let problem = Problem::new("a charge beyond the capacity");
            self.document.complain(charge.mark, problem.hint("without `charge` it is full at second 0"));
            return None;
        }
        Some(Battery {
            capacity: capacity.value.0,
            charge: charge.map_or(capacity.value.0, |charge| charge.value.0),
            power: power.value,
            efficiency_ppm: efficiency.0,
            threshold: threshold.value,
        })
    }

    /// How far the clocks of a time zone are from UTC, when.
    fn offsets(&self, name: &Placed<String>) -> Option<Vec<(i64, i32)>> {
        let Ok(zone) = TimeZone::get(name) else {
            let problem = Problem::new(format!("unknown time zone `{}`", name.value));
            self.document.complain(name.mark, problem.hint("such as `America/Chicago` or `UTC`"));
            return None;
        };
        let from = self.span.epoch.unwrap_or_default();
        let first = Timestamp::from_second(from).ok()?;
        let mut offsets = vec![(i64::MIN, zone.to_offset(first).seconds())];
        let ends = from.saturating_add(i64::from(u32::MAX));
        let changes = zone.following(first).take_while(|change| change.timestamp().as_second() <= ends);
        offsets.extend(changes.map(|change| (change.timestamp().as_second(), change.offset().seconds())));
        Some(offsets)
    }
}

pub(super) fn undated(what: &str) -> Problem {
    Problem::new(format!("{what}, and no date for second 0")).hint("such as `run.start = 2023-01-01`")
}

/// What a key says, `all` where it is not there; `whole` becomes false where it says something else.
fn or_all<T: Read>(table: &mut Table<'_>, key: &'static str, all: T, whole: &mut bool) -> T {
    let given = table.has(key);
    match table.optional::<T>(key) {
        Some(placed) => placed.value,
        None => {
            *whole &= !given;
            all
        }
    }
}
