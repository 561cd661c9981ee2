use super::read::fact;
use super::{Basis, Bound, Curve, Fact, Phase, field};
use crate::document::{Document, Item, Table};
use crate::error::Problem;
use crate::units::Factor;
use std::sync::LazyLock;

const EMBEDDED: &str = include_str!("power.toml");

/// Something that is not one number, and why to believe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Supported<T> {
    /// What it is.
    pub value: T,
    /// How far it can be trusted.
    pub basis: Basis,
    /// Where it comes from.
    pub source: String,
}

/// What GPUs draw where no platform and no job says otherwise: levels, curves and the mixes of the kinds of jobs.
///
/// ```
/// use gigawatt::hardware::{Phase, Phases};
/// let phases = Phases::embedded();
/// assert_eq!(phases.levels[Phase::Compute as usize].value, 0.95);
/// assert_eq!(phases.mix("pretrain").expect("known").value.iter().sum::<u32>(), 65_536);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Phases {
    /// By [`Phase`]: the fraction of the TGP that a GPU draws.
    pub levels: [Fact; Phase::COUNT],
    /// By [`Bound`]: how a cap slows a phase.
    pub curves: [Supported<Curve>; 2],
    /// By the name of a kind of jobs: the part of its time in each phase, Q16, adding up to 65,536.
    pub mixes: Vec<(String, Supported<[u32; Phase::COUNT]>)>,
}

impl Phases {
    /// What comes with this version.
    ///
    /// # Panics
    /// Never: a test reads the same text.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static PHASES: LazyLock<Phases> = LazyLock::new(|| {
            let document = Document::parse("power.toml", EMBEDDED);
            read(&document)
                .filter(|_| !document.has_problems())
                .expect("the embedded phases are read by a test")
        });
        &PHASES
    }
    /// The mix of the kind of jobs of that name.
    #[must_use]
    pub fn mix(&self, kind: &str) -> Option<&Supported<[u32; Phase::COUNT]>> {
        self.mixes.iter().find(|(name, _)| name == kind).map(|(_, mix)| mix)
    }
}

fn read(document: &Document) -> Option<Phases> {
    let mut root = document.root();
    let names = Phase::ALL.map(|phase| (phase.name(), phase));
    let mut levels = [const { None }; Phase::COUNT];
    for mut table in root.tables("phase") {
        let phase = table.choice("name", &names)?.value;
        let item = table.required_item("level")?;
        levels[phase as usize] = fact(&field::LEVELS[phase as usize], item, &table);
        table.finish();
    }
    let mut curves = [const { None }; 2];
    for mut table in root.tables("curve") {
        let bound = table.choice("bound", &[("compute", Bound::Compute), ("memory", Bound::Memory)])?.value;
        let points = table.required_item("points").and_then(curve)?;
        curves[bound as usize] = Some(supported(&mut table, points)?);
        table.finish();
    }
    let mut mixes = Vec::new();
    for mut table in root.tables("mix") {
        let kind = table.required::<String>("kind")?.value;
        let shares = table.required_item("shares").and_then(shares)?;
        mixes.push((kind, supported(&mut table, shares)?));
        table.finish();
    }
    root.finish();
    let [Some(compute), Some(memory)] = curves else { return None };
    let levels: Vec<Fact> = levels.into_iter().collect::<Option<_>>()?;
    Some(Phases { levels: levels.try_into().ok()?, curves: [compute, memory], mixes })
}

fn supported<T>(table: &mut Table<'_>, value: T) -> Option<Supported<T>> {
    let basis = table.choice("basis", &Basis::ALL.map(|basis| (basis.name(), basis)))?.value;
    let source = table.required::<String>("source")?.value;
    Some(Supported { value, basis, source })
}

/// Reads the points of a curve: pairs of cap and speed, rising from 0 to 1.
pub(super) fn curve(item: Item<'_>) -> Option<Curve> {
    let pair = |item: Item<'_>| {
        let numbers: Option<Vec<Factor>> =
            item.items()?.iter().map(|item| Some(item.read::<Factor>()?.value)).collect();
        let [cap, speed] = numbers?[..] else { return None };
        Some((cap, speed))
    };
    let marked = item.clone();
    let points: Option<Vec<_>> = item.items()?.into_iter().map(pair).collect();
    let curve = points.map(|points| Curve { points }).filter(Curve::is_sound);
    if curve.is_none() {
        marked.wrong("pairs of cap and speed, both rising from 0 to 1");
    }
    curve
}

/// Reads a table of phases and the part of the time each takes; the parts add up to 1, or that is reported.
///
/// ```
/// use gigawatt::document::Document;
/// use gigawatt::hardware::{Phase, shares};
/// let document = Document::parse("job", "phases = { prefill = 0.25, decode = 0.75 }");
/// let found = shares(document.root().item("phases").unwrap()).unwrap();
/// assert_eq!((found[Phase::Prefill as usize], found[Phase::Decode as usize]), (16_384, 49_152));
/// ```
#[must_use]
pub fn shares(item: Item<'_>) -> Option<[u32; Phase::COUNT]> {
    let marked = item.clone();
    let parts = by_phase(item)?;
    let sum: f64 = parts.iter().sum();
    if (sum - 1.0).abs() > 1e-6 {
        marked.wrong("parts of the time that add up to 1");
        return None;
    }
    let mut shares = parts.map(|part| Factor::from_f64(part).map_or(0, |part| part.0));
    // What rounding took or gave belongs to the largest share.
    let largest = (0..Phase::COUNT).max_by_key(|phase| shares[*phase])?;
    let others: u32 = shares.iter().sum::<u32>() - shares[largest];
    shares[largest] = Factor::ONE.0.checked_sub(others)?;
    Some(shares)
}

/// Reads a table of phases and the fraction of the TGP each draws; 0 where nothing is said.
#[must_use]
pub fn levels(item: Item<'_>) -> Option<[u32; Phase::COUNT]> {
    Some(by_phase(item)?.map(|level| Factor::from_f64(level).map_or(0, |level| level.0)))
}

/// Numbers from 0 to 1 by the names of phases.
fn by_phase(item: Item<'_>) -> Option<[f64; Phase::COUNT]> {
    let mut numbers = [0.0; Phase::COUNT];
    let mut whole = true;
    let table = item.table()?;
    let document = table.document();
    for (name, item) in table.entries() {
        let Some(phase) = Phase::ALL.into_iter().find(|phase| phase.name() == name.value) else {
            let problem = Problem::new(format!("unknown phase `{}`", name.value));
            document.complain(name.mark, problem.hint_nearest(&name, Phase::ALL.map(Phase::name)));
            whole = false;
            continue;
        };
        match item.read::<f64>() {
            Some(number) if (0.0..=1.0).contains(&number.value) => numbers[phase as usize] = number.value,
            Some(_) => {
                item.wrong("a number from 0 to 1");
                whole = false;
            }
            None => whole = false,
        }
    }
    whole.then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_phases_are_whole_and_supported() {
        let phases = Phases::embedded();
        for (phase, level) in Phase::ALL.iter().zip(&phases.levels) {
            assert!(!level.source.is_empty(), "{} says where it comes from", phase.name());
            assert!(level.basis != Basis::Defined, "{} is no definition", phase.name());
        }
        for curve in &phases.curves {
            assert!(curve.value.is_sound() && !curve.source.is_empty(), "{curve:?}");
        }
        for (kind, mix) in &phases.mixes {
            assert_eq!(mix.value.iter().sum::<u32>(), Factor::ONE.0, "{kind}");
            assert!(!mix.source.is_empty(), "{kind} says where it comes from");
        }
    }

    #[test]
    fn phases_that_make_no_sense_are_reported() {
        for (text, expected) in [
            ("x = { comput = 1 }", "did you mean `compute`?"),
            ("x = { compute = 0.5 }", "add up to 1"),
            ("x = { compute = 1.5, idle = -0.5 }", "a number from 0 to 1"),
            ("x = { compute = \"all\" }", "expected a number"),
            ("x = 1", "expected a table"),
        ] {
            let document = Document::parse("job", text);
            assert_eq!(shares(document.root().item("x").unwrap()), None, "{text}");
            let problems = document.problems().to_string();
            assert!(problems.contains(expected), "{text}:\n{problems}");
        }
        let document = Document::parse("job", "x = { compute = 0.33333, decode = 0.33333, idle = 0.33334 }");
        let found = shares(document.root().item("x").unwrap()).unwrap();
        assert_eq!(found.iter().sum::<u32>(), Factor::ONE.0, "exactly one, whatever is rounded");
    }
}
