//! Tariff, demand charge, carbon and battery: those of `[power]` for every site, less what `[power.site.NAME]` says.

use super::super::files::Files;
use super::quantity::{Days, DemandPrice, Efficiency, Energy, EnergyPrice, Hours, Intensity, MonthNames};
use crate::cluster::Cluster;
use crate::cluster::grid::{Battery, Calendar, Demand, Grid, Months, Rule, Series, Signal, Weekdays, Zone};
use crate::document::{Document, Item, Mark, Placed, Read, Table};
use crate::error::{Error, Problem};
use crate::history::Settings;
use crate::trace::{Moment, SeriesOptions, read_series};
use crate::units::{Seconds, Time, Watts};
use crate::workload::Workload;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When a run takes place.
#[derive(Debug, Clone, Copy)]
pub(in crate::scenario) struct Span {
    /// Unix seconds of second 0; none: no date is known.
    epoch: Option<i64>,
    /// The last instant that is certainly reached.
    last: Time,
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
        Self { epoch: start.or(dates), last: settings.until.map_or(last, |until| last.min(Time(until))) }
    }
}

/// How a quantity is written.
#[derive(Debug, Clone, Copy)]
struct Kind {
    key: &'static str,
    /// What a price in rules is called.
    value: &'static str,
    decimals: usize,
    most: i64,
    least: i64,
    read: fn(&Item<'_>) -> Option<i64>,
}

const TARIFF: Kind = Kind {
    key: "tariff",
    value: "price",
    decimals: 6,
    most: Signal::MAX,
    least: -Signal::MAX,
    read: |item| item.read::<EnergyPrice>().map(|price| price.value.0),
};
const CARBON: Kind = Kind {
    key: "carbon",
    value: "intensity",
    decimals: 3,
    most: 1_000_000_000,
    least: 0,
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
            self.series(&mut table, kind).map(|series| Wish::Fixed(Signal::Series(series)))
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

    fn series(&mut self, table: &mut Table<'_>, kind: Kind) -> Option<Series> {
        let path = table.required::<String>("file");
        let column = table.optional::<String>("column");
        let time_column = table.optional::<String>("time_column");
        let repeats = table.value_or("repeat", false);
        let path = path?;
        let (resolved, bytes) = self.files.read(self.document, &path)?;
        let options = SeriesOptions {
            column: column.as_deref().map(String::as_str),
            time_column: time_column.as_deref().map(String::as_str),
            decimals: kind.decimals,
            most: kind.most,
            least: kind.least,
        };
        let recorded = match read_series(&resolved.display().to_string(), &bytes, &options) {
            Ok(recorded) => recorded,
            Err(Error::Input(problems)) => {
                self.files.problems.append(problems);
                return None;
            }
            Err(other) => {
                self.document.complain(path.mark, Problem::new(other.to_string()));
                return None;
            }
        };
        let offset = self.offset(&recorded.start, path.mark)?;
        self.placed(&recorded, offset, repeats, &path)
    }

    /// Seconds from the begin of a series to second 0 of the run.
    fn offset(&self, start: &Moment, mark: Mark) -> Option<i64> {
        match *start {
            Moment::Seconds(seconds) => Some(-i64::from(seconds)),
            Moment::Unix(date) => {
                if self.span.epoch.is_none() {
                    self.document.complain(mark, undated("a series with dates"));
                }
                Some(self.span.epoch?.saturating_sub(date))
            }
        }
    }

    /// The series on the clock of the run, if it covers that.
    fn placed(
        &self,
        recorded: &crate::trace::Recorded,
        offset: i64,
        repeats: bool,
        path: &Placed<String>,
    ) -> Option<Series> {
        let step = i64::from(recorded.step.0);
        let length = step.saturating_mul(i64::try_from(recorded.values.len()).unwrap_or(i64::MAX));
        let begin = if repeats { offset.rem_euclid(length) } else { offset };
        let last = offset.saturating_add(i64::from(self.span.last.0));
        let span = |seconds: i64| Seconds(u32::try_from(seconds).unwrap_or(u32::MAX));
        let message = if begin < 0 {
            Some(format!("`{}` begins {} after the run does", path.value, span(-begin)))
        } else if !repeats && last >= length {
            Some(format!("`{}` ends {} before the last job comes", path.value, span(last - length + 1)))
        } else {
            None
        };
        if let Some(message) = message {
            let hint = "`repeat = true` begins anew at its end; `run.start` is the date of second 0";
            self.document.complain(path.mark, Problem::new(message).hint(hint));
            return None;
        }
        let offset = u64::try_from(begin).unwrap_or_default();
        Some(Series { offset, step: recorded.step, values: recorded.values.clone(), repeats })
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

fn undated(what: &str) -> Problem {
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
