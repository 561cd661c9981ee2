//! A component as a file describes it.

use super::{Component, Life, Per, Repair, Span};
use crate::document::{Document, Item, Length, Mark, Placed, Read, Table, Value};
use crate::error::Problem;
use crate::units::{Gpus, Seconds};

/// A component before it is known which nodes there are.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Unique among those of a file.
    pub name: String,
    /// What there is one in.
    pub per: Per,
    /// Its mean life, seconds.
    pub mean: f64,
    /// The shape of its [`Life`].
    pub shape: f64,
    /// From when a part fails until that is seen.
    pub detection: Span,
    /// How it comes back; of [`Per::JobGpu`] one that takes no time: its job starts anew.
    pub repairs: Vec<Repair>,
}

/// A mean life, in seconds: unlike a time of the clock it may be longer than 136 years.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mean(f64);

impl Read for Mean {
    fn expected() -> String {
        "a mean life such as `50000h` or `1500.5d`, at least a second".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return f64::read(value).and_then(Self::of) };
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let unit = match text[split..].trim() {
            "s" | "" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => SECONDS_A_DAY,
            // Several units, such as `1d12h`.
            _ => return Seconds::read(value).and_then(|seconds| Self::of(f64::from(seconds.0))),
        };
        text[..split].parse::<f64>().ok().and_then(|number| Self::of(number * unit))
    }
}

impl Mean {
    fn of(seconds: f64) -> Option<Self> {
        (1.0..=1e16).contains(&seconds).then_some(Self(seconds))
    }
}

/// A share in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(pub u32);

impl Read for Share {
    fn expected() -> String {
        "a number from 0 to 1 with at most three decimals".to_owned()
    }
    fn read(value: &Value) -> Option<Self> {
        // The same decimals as GPUs have.
        let milli = if matches!(value, Value::String(_)) { None } else { Gpus::read(value) }?.milli();
        (milli <= 1000).then_some(Self(milli))
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "number", "minimum": 0, "maximum": 1, "description": Self::expected() })
    }
}

const SECONDS_A_DAY: f64 = 86_400.0;
/// Longest name of a component or a repair, bytes.
const NAME_LENGTH: usize = 60;

impl Described {
    /// The component that a table describes; none, which is then reported, if something is wrong. The caller may ask the
    /// table for more, and has it finish.
    ///
    /// ```
    /// use gigawatt::document::Document;
    /// use gigawatt::failure::{Described, Per};
    /// let text = "name = \"gpu\"\nper = \"gpu\"\nrate = { failures = 148, days = 884_736 }\n\
    ///             repair = { time = \"1h\" }";
    /// let document = Document::parse("night.toml", text);
    /// let gpu = Described::read(&mut document.root()).unwrap();
    /// assert_eq!(gpu.per, Per::Gpu);
    /// assert!((gpu.a_day() - 1.673e-4).abs() < 1e-7, "148 of the 419 of Llama 3");
    /// ```
    #[must_use]
    pub fn read(table: &mut Table<'_>) -> Option<Self> {
        let name = name(table);
        let item = table.required_or_hint("per", "`gpu`, `node`, `rack`, `feed`, `site` or `job-gpu`");
        let per = item.and_then(|item| item.choice(&Per::NAMES)).map(|per| per.value);
        let mean = mean(table);
        let shape = shape(table);
        let detection = match table.item("detection") {
            None => Some(Span::Fixed(Seconds::ZERO)),
            Some(item) => span(item),
        };
        let repairs = repairs(table, per);
        let described = Self {
            name: name?,
            per: per?,
            mean: mean?,
            shape: shape?,
            detection: detection?,
            repairs: repairs?,
        };
        if described.life(1.0).is_none() {
            table.complain(Problem::new(
                "this life is shorter than a second, or longer than 300 million years",
            ));
            return None;
        }
        Some(described)
    }
    /// How often a part of it fails, times a day: 86,400 ÷ its mean life, seconds.
    #[must_use]
    pub fn a_day(&self) -> f64 {
        SECONDS_A_DAY / self.mean
    }
    /// How long its parts last where all fail so many times as often; none if that is out of range.
    #[must_use]
    pub fn life(&self, scale: f64) -> Option<Life> {
        Life::of_mean(self.mean / scale, self.shape)
    }
    /// The component of these kinds of nodes (none: of all), its parts failing so many times as often; none if they would
    /// do so within a second.
    #[must_use]
    pub fn component(&self, name: String, kinds: Vec<u32>, scale: f64) -> Option<Component> {
        let Self { per, detection, repairs, .. } = self.clone();
        Some(Component { name, per, kinds, life: self.life(scale)?, detection, repairs })
    }
}

fn name(table: &mut Table<'_>) -> Option<String> {
    let name = table.required::<String>("name")?;
    is_name(table.document(), &name).then_some(name.value)
}

fn is_name(document: &Document, name: &Placed<String>) -> bool {
    let fits = (1..=NAME_LENGTH).contains(&name.len())
        && !name.chars().any(|c| c.is_control() || c.is_whitespace() || ",;/".contains(c));
    if !fits {
        let problem = Problem::new(format!("`{}` is no name for it", name.escape_debug()));
        let hint = format!("1 to {NAME_LENGTH} letters, without blanks and `, ; /`");
        document.complain(name.mark, problem.hint(hint));
    }
    fits
}

/// Its mean life, seconds, from `mtbf` or `rate`.
fn mean(table: &mut Table<'_>) -> Option<f64> {
    let mtbf = table.optional::<Mean>("mtbf");
    let rate = table.item("rate");
    match (table.has("mtbf"), rate) {
        (true, None) => mtbf.map(|mean| mean.value.0),
        (false, Some(item)) => mean_of_rate(item),
        (true, Some(item)) => {
            let problem = Problem::new("`rate` beside `mtbf`: expected one of them");
            table.document().complain(item.mark(), problem);
            None
        }
        (false, None) => {
            let problem = Problem::new("missing `mtbf` or `rate`");
            table.complain(
                problem.hint("`mtbf = \"50000h\"`, or `rate = 4.8e-4`: failures a day of each part"),
            );
            None
        }
    }
}

/// From failures a day of each part, or as they were counted: `{ failures = 148, days = 884_736 }`.
fn mean_of_rate(item: Item<'_>) -> Option<f64> {
    let (document, mark) = (item.document(), item.mark());
    let rate = if item.is_table() {
        let mut table = item.table()?;
        let (failures, days) = (table.required::<u32>("failures"), table.required::<f64>("days"));
        table.finish();
        f64::from(failures?.value) / days?.value
    } else {
        item.read::<f64>()?.value
    };
    let mean = Some(rate).filter(|rate| *rate > 0.0).and_then(|rate| Mean::of(SECONDS_A_DAY / rate));
    if mean.is_none() {
        let problem = Problem::new("`rate`: expected failures a day of each part, above 0 and at most 86400");
        document.complain(mark, problem);
    }
    mean.map(|mean| mean.0)
}

fn shape(table: &mut Table<'_>) -> Option<f64> {
    if !table.has("shape") {
        table.optional::<f64>("shape");
        return Some(1.0);
    }
    let shape = table.optional::<f64>("shape")?;
    let fits = Life::SHAPES.contains(&shape.value);
    if !fits {
        let (least, most) = (Life::SHAPES.start(), Life::SHAPES.end());
        let problem = Problem::new(format!(
            "`shape`: expected a number from {least} to {most}, found `{}`",
            shape.value
        ));
        let hint = "1: parts fail as often at any age; less: new ones more often, more: old ones";
        table.document().complain(shape.mark, problem.hint(hint));
    }
    fits.then_some(shape.value)
}

/// A length of time, fixed or drawn.
fn span(item: Item<'_>) -> Option<Span> {
    let sigma_max = f64::from(Span::SIGMA_MAX_MILLI) / 1000.0;
    Some(match Length::read(item, sigma_max)? {
        Length::Fixed(length) => Span::Fixed(length.value),
        Length::Uniform(least, most) => Span::Uniform(least.value, most.value),
        Length::Exponential(mean) => Span::Exponential(mean.value),
        Length::Lognormal(mean, sigma) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked"
            )]
            let milli = libm::round(sigma * 1000.0) as u32;
            Span::Lognormal(mean.value, milli)
        }
    })
}

/// What there is of `repair`: tables whose shares sum to 1, or one that all failures are repaired by.
fn repairs(table: &mut Table<'_>, per: Option<Per>) -> Option<Vec<Repair>> {
    let mark = table.key_mark("repair");
    let tables = table.tables("repair");
    match (per, mark) {
        (Some(Per::JobGpu), Some(mark)) => {
            let problem =
                Problem::new("`repair` of what jobs bring: nothing is repaired, the job starts anew");
            table.document().complain(mark, problem.hint("`restart` of a job says how long that takes"));
            return None;
        }
        (Some(Per::JobGpu), None) => {
            return Some(vec![Repair::certain("restart", Span::Fixed(Seconds::ZERO))]);
        }
        (_, None) => {
            let problem = Problem::new("missing `repair`");
            table.complain(problem.hint("`repair = { time = \"4h\" }`, or a list of some with `share` each"));
            return None;
        }
        (_, Some(_)) => {}
    }
    let count = tables.len();
    let read: Vec<Option<Repair>> = tables.into_iter().map(|table| repair(table, count == 1)).collect();
    let repairs: Vec<Repair> = read.into_iter().collect::<Option<_>>()?;
    let milli: u64 = repairs.iter().map(|repair| u64::from(repair.share_milli)).sum();
    if milli != 1000 {
        let document = table.document();
        let sum = Gpus::from_milli(u32::try_from(milli).unwrap_or(u32::MAX));
        let problem = Problem::new(format!("`repair`: the shares sum to {sum}, expected 1"));
        document.complain(mark.unwrap_or_else(|| table.mark()), problem);
        return None;
    }
    Some(repairs)
}

fn repair(mut table: Table<'_>, is_only: bool) -> Option<Repair> {
    let document = table.document();
    let named = if is_only {
        table
            .optional::<String>("name")
            .map_or_else(|| Some("repair".to_owned()), |name| checked(document, name))
    } else {
        table.required::<String>("name").and_then(|name| checked(document, name))
    };
    let share = if table.has("share") || !is_only {
        table.required::<Share>("share").map(|share| share.value.0)
    } else {
        table.optional::<Share>("share");
        Some(1000)
    };
    let time = table.required_item("time").and_then(span);
    let (has_helps, helps) = (table.has("helps"), table.optional::<Share>("helps"));
    let helps_milli = if has_helps { helps.map(|helps| helps.value.0) } else { Some(1000) };
    let crew = table.value_or("crew", false);
    table.finish();
    Some(Repair { name: named?, share_milli: share?, time: time?, helps_milli: helps_milli?, crew })
}

fn checked(document: &Document, name: Placed<String>) -> Option<String> {
    is_name(document, &name).then_some(name.value)
}

/// Where a key of one of the repairs of a component stands.
#[must_use]
pub fn mark_in_repairs(table: &Table<'_>, key: &str) -> Option<Mark> {
    let mut again = table.clone();
    again.tables("repair").iter().find_map(|repair| repair.key_mark(key))
}
