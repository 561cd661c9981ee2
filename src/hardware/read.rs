use super::field::{FIELDS, Field, GPUS_PER_NODE};
use super::{Basis, Catalogue, Fact, Level, Loss, Platform, Stage, laws};
use crate::document::{Item, Placed, Table};
use crate::error::Problem;
use crate::units::Watts;
use std::collections::BTreeMap;

/// Longest name of a platform, bytes.
const NAME_LENGTH: usize = 40;

/// Adds the `[[platform]]` tables of `root` to `platforms`, or changes what is there under the same name.
pub(super) fn platforms(platforms: &mut Vec<Platform>, root: &mut Table<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for mut table in root.tables("platform") {
        let name = table.required::<String>("name");
        if let Some(name) = &name
            && is_name(name, &seen, &table)
        {
            seen.push(name.value.clone());
        }
        let known = name.as_ref().and_then(|name| platforms.iter().position(|p| p.name == name.value));
        let base = base(platforms, known, &mut table);
        let is_copy = base.is_some();
        let named = name.map_or_else(String::new, |name| name.value);
        let platform = platform(base.unwrap_or_else(|| blank(&named)), named, &mut table);
        if !is_copy && !table.has(GPUS_PER_NODE.key) {
            let problem = Problem::new(format!("missing `{}`", GPUS_PER_NODE.key));
            table.complain(problem.hint("or start from a known platform: `like = \"h100\"`"));
        }
        for contradiction in laws::broken(&platform) {
            table.complain(Problem::new(format!("platform `{}`: {contradiction}", platform.name)));
        }
        match known {
            Some(index) => platforms[index] = platform,
            None if platforms.len() < Catalogue::MAX => platforms.push(platform),
            None => table.complain(Problem::new(format!("more than {} platforms", Catalogue::MAX))),
        }
        table.finish();
    }
}

fn is_name(name: &Placed<String>, seen: &[String], table: &Table<'_>) -> bool {
    let fits = (1..=NAME_LENGTH).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    if !fits {
        let problem = Problem::new(format!("`{}` is no name for a platform", name.value));
        let problem = problem.hint(format!("use up to {NAME_LENGTH} of a-z, 0-9, `-`, `_` and `.`"));
        table.document().complain(name.mark, problem);
    }
    let again = seen.contains(&name.value);
    if again {
        let problem = Problem::new(format!("platform `{}` is described twice", name.value));
        table.document().complain(name.mark, problem);
    }
    fits && !again
}

/// What a platform starts from: the one it is `like`, else itself as known so far.
fn base(platforms: &[Platform], known: Option<usize>, table: &mut Table<'_>) -> Option<Platform> {
    let Some(like) = table.optional::<String>("like") else {
        return known.map(|index| platforms[index].clone());
    };
    let found = platforms.iter().find(|platform| platform.name == like.value);
    if found.is_none() {
        let problem = Problem::new(format!("unknown platform `{}`", like.value));
        let names = platforms.iter().map(|platform| platform.name.as_str());
        table.document().complain(like.mark, problem.hint_nearest(&like, names));
    }
    // An unknown one is reported; what its copy would lack is not reported again.
    found.cloned().or_else(|| Some(blank("")))
}

fn blank(name: &str) -> Platform {
    Platform {
        name: String::new(),
        title: name.to_owned(),
        generation: "own".to_owned(),
        cpu: "any".to_owned(),
        stages: Vec::new(),
        facts: BTreeMap::new(),
    }
}

fn platform(mut platform: Platform, name: String, table: &mut Table<'_>) -> Platform {
    platform.name = name;
    let texts = [
        ("title", &mut platform.title),
        ("generation", &mut platform.generation),
        ("cpu", &mut platform.cpu),
    ];
    for (key, text) in texts {
        if let Some(given) = table.optional::<String>(key) {
            *text = given.value;
        }
    }
    if table.has("stage") {
        platform.stages = stages(table);
    }
    for field in FIELDS {
        let fact = table.item(field.key).and_then(|item| fact(field, item, table));
        if let Some(fact) = fact {
            platform.facts.insert(field.key, fact);
        }
    }
    platform
}

/// The conversions of a rack, from the node up.
fn stages(platform: &mut Table<'_>) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for mut table in platform.tables("stage") {
        let level = table.choice("level", &Level::ALL.map(|level| (level.name(), level)));
        if level.is_none() && !table.has("level") {
            table.complain(Problem::new("missing `level`").hint("`node`, `chassis` or `rack`"));
        }
        let loss = loss(&mut table);
        table.finish();
        let (Some(level), Some(loss)) = (level, loss) else { continue };
        if stages.last().is_some_and(|last| last.level > level.value) {
            let problem = Problem::new("the stages of a platform rise: `node`, then `chassis`, then `rack`");
            platform.document().complain(level.mark, problem);
        }
        stages.push(Stage { level: level.value, loss });
    }
    stages
}

/// Reads what a conversion takes: `add` watts whatever passes, and an `efficiency` from 0.1 to 1.
///
/// ```
/// use gigawatt::document::Document;
/// use gigawatt::hardware::loss;
/// use gigawatt::units::Watts;
/// let document = Document::parse("stage", "add = \"17 W\"\nefficiency = 0.96");
/// let rectifier = loss(&mut document.root()).unwrap();
/// assert_eq!(rectifier.of(Watts(943)), Watts(1000));
/// ```
pub fn loss(table: &mut Table<'_>) -> Option<Loss> {
    const PARTS: u32 = 1_000_000;
    let add = table.optional::<Watts>("add").map_or(Watts(0), |add| add.value);
    let Some(item) = table.item("efficiency") else { return Some(Loss { add, ..Loss::NONE }) };
    let given = item.read::<f64>()?.value;
    if !(0.1..=1.0).contains(&given) {
        item.wrong("a number from 0.1 to 1");
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    let parts = (given * f64::from(PARTS)).round() as u32;
    Some(Loss { add, num: PARTS, den: parts })
}

/// A number, bare or with all that supports it.
pub(super) fn fact(field: &Field, item: Item<'_>, table: &Table<'_>) -> Option<Fact> {
    let document = table.document();
    let said_here = || document.name().to_owned();
    if !item.is_table() {
        let value = in_range(field, item.read()?, table)?;
        return Some(Fact { value, basis: Basis::Defined, source: said_here() });
    }
    let mut item = item.table()?;
    let value = item.required::<f64>("value");
    if let Some(unit) = item.optional::<String>("unit")
        && unit.value != field.unit
    {
        let problem = Problem::new(format!("unknown unit `{}` for `{}`", unit.value, field.key));
        document.complain(unit.mark, problem.hint(format!("write it in `{}`", field.unit)));
    }
    let names = Basis::ALL.map(|basis| (basis.name(), basis));
    let basis = item.choice("basis", &names).map_or(Basis::Defined, |basis| basis.value);
    let source = item.optional::<String>("source").map_or_else(said_here, |source| source.value);
    item.finish();
    Some(Fact { value: in_range(field, value?, table)?, basis, source })
}

fn in_range(field: &Field, number: Placed<f64>, table: &Table<'_>) -> Option<f64> {
    let value = number.value;
    let fits = field.range.contains(&value) && !(field.whole && value.fract() != 0.0);
    if !fits {
        let (least, most) = (field.range.start(), field.range.end());
        let kind = if field.whole { "a whole number" } else { "a number" };
        let (key, unit) = (field.key, field.unit);
        let message = format!("`{key}`: expected {kind} from {least} to {most} {unit}, found `{value}`");
        table.document().complain(number.mark, Problem::new(message));
    }
    fits.then_some(value)
}
