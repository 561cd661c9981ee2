//! What is compared: all combinations of scenarios, values that are varied, and policies.

use super::arguments::Compare;
use super::terminal::Terminal;
use super::vary::{Template, parsed};
use crate::error::{Error, Place, Problem, Problems, Result, nearest_hint};
use crate::experiment::{Axis, Contender, Design, is_random, points};
use crate::history::{Plan, Settings};
use crate::policy::text::split_outside;
use crate::scenario::{Loaded, stops_nobody};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A scenario at a point of what is varied.
struct Variant<'a> {
    /// What tells it from the others: its file, `key=value`.
    labels: Vec<String>,
    template: Template<'a>,
    loaded: Loaded,
}

/// The contenders of a comparison and the scenarios that they are about.
pub(super) struct Contenders<'a> {
    variants: Vec<Variant<'a>>,
    /// By contender: what tells it from the others, as its name joins it.
    labels: Vec<Vec<String>>,
    pub(super) all: Vec<Contender>,
    pub(super) reference: usize,
}

impl<'a> Contenders<'a> {
    /// Everything that the arguments name, every problem of it at once.
    pub(super) fn of(arguments: &'a Compare) -> Result<Self> {
        let variants = variants(arguments)?;
        let mut problems = Problems::default();
        let mut own = Self { variants, labels: Vec::new(), all: Vec::new(), reference: 0 };
        for place in 0..own.variants.len() {
            if arguments.policies.is_empty() {
                own.push(place, None, own.variants[place].loaded.plan.settings.clone());
            }
            for policy in &arguments.policies {
                match own.resolved(place, policy) {
                    Ok(settings) => own.push(place, Some(policy), settings),
                    Err(problem) => problems.push(problem.at(Place::file(format!("--policy {policy}")))),
                }
            }
        }
        if let Some(name) = &arguments.reference {
            match own.referred(name) {
                Ok(place) => own.reference = place,
                Err(problem) => problems.push(problem.at(Place::file(format!("--reference {name}")))),
            }
        }
        if problems.is_empty() {
            own.must_differ(&mut problems);
        }
        problems.into_result(own)
    }

    /// The settings of a variant under a policy.
    fn resolved(&self, place: usize, policy: &str) -> std::result::Result<Settings, Box<Problem>> {
        let loaded = &self.variants[place].loaded;
        loaded.choices.under(policy, &loaded.plan)
    }
    fn push(&mut self, scenario: usize, policy: Option<&String>, settings: Settings) {
        let labels: Vec<String> = self.variants[scenario].labels.iter().chain(policy).cloned().collect();
        let name = match &labels[..] {
            [] => self.variants[scenario].loaded.plan.settings.policy(),
            labels => labels.join(", "),
        };
        self.labels.push(labels);
        self.all.push(Contender { name, settings, scenario });
    }
    /// The contender that a name means: its whole name, some of what tells it from the others, or, of one scenario, any policy, which
    /// is then compared too.
    fn referred(&mut self, name: &str) -> std::result::Result<usize, Box<Problem>> {
        let is_part = |part: &str, label: &String| {
            label == part || label.split_once('=').is_some_and(|(_, value)| value == part)
        };
        let has_all = |labels: &Vec<String>| {
            split_outside(name, ',').all(|part| labels.iter().any(|label| is_part(part.trim(), label)))
        };
        let exact = self.all.iter().position(|contender| contender.name == name);
        let whole =
            || self.labels.iter().enumerate().filter(|(_, labels)| labels.iter().any(|label| label == name));
        let found: Vec<usize> = match (exact, whole().count()) {
            (Some(place), _) => vec![place],
            (None, 0) => (0..self.labels.len()).filter(|place| has_all(&self.labels[*place])).collect(),
            _ => whole().map(|(place, _)| place).collect(),
        };
        match found[..] {
            [place] => Ok(place),
            [] if self.variants.len() == 1 => {
                let settings = self.resolved(0, name)?;
                let known = self.all.iter().position(|contender| contender.settings == settings);
                Ok(known.unwrap_or_else(|| {
                    self.all.insert(0, Contender { name: name.to_owned(), settings, scenario: 0 });
                    self.labels.insert(0, vec![name.to_owned()]);
                    0
                }))
            }
            [] => {
                let names = self.all.iter().map(|contender| contender.name.as_str());
                Err(Box::new(
                    Problem::new(format!("no contender is called `{name}`")).hint(nearest_hint(name, names)),
                ))
            }
            _ => {
                let names: Vec<_> =
                    found.iter().map(|place| format!("`{}`", self.all[*place].name)).collect();
                let said = format!("`{name}` means {} contenders", found.len());
                Err(Box::new(Problem::new(said).hint(format!("they are {}", names.join(", ")))))
            }
        }
    }
    /// That there are two, and no two the same.
    fn must_differ(&self, problems: &mut Problems) {
        let plan = |contender: &Contender| &self.variants[contender.scenario].loaded.plan;
        let same = |one: &Contender, other: &Contender| {
            let (a, b) = (plan(one), plan(other));
            let seed = a.settings.seed;
            let settings = Settings { seed, ..other.settings.clone() };
            one.settings == settings
                && (std::ptr::eq(a, b) || (a.cluster == b.cluster && a.workload == b.workload))
        };
        for (index, contender) in self.all.iter().enumerate() {
            if let Some(earlier) = self.all[..index].iter().find(|earlier| same(earlier, contender)) {
                let what = if earlier.scenario == contender.scenario { "policies" } else { "contenders" };
                let said = format!("{what} `{}` and `{}` are the same", earlier.name, contender.name);
                problems.push(Problem::new(said).hint(format!("both are {}", contender.settings.policy())));
            }
        }
        if self.all.len() == 1 && problems.is_empty() {
            let problem = Problem::new("one contender has nothing to be compared with");
            problems.push(problem.hint("give `-p` twice, two scenarios, or `--vary KEY=a,b`"));
        }
    }

    /// The scenario of the first contender.
    pub(super) fn first(&self) -> &Loaded {
        &self.variants[0].loaded
    }
    /// What the whole comparison is about.
    pub(super) fn title(&self) -> String {
        let mut names: Vec<&str> = self.variants.iter().map(|variant| variant.loaded.name.as_str()).collect();
        names.dedup();
        names.join(", ")
    }
    /// Says what was dropped, changed or assumed, once where it is the same for all, and which parts can do nothing.
    pub(super) fn tell(&self, terminal: Terminal) {
        let common = &self.variants[0].loaded.notes;
        terminal.notes(common);
        let mut told: Vec<(&str, &String)> = Vec::new();
        for variant in &self.variants[1..] {
            for note in variant.loaded.notes.iter().filter(|note| !common.contains(note)) {
                let name = variant.loaded.name.as_str();
                if !told.contains(&(name, note)) {
                    terminal.note(&format!("{name}: {note}"));
                    told.push((name, note));
                }
            }
        }
        let first = &self.first().plan.settings;
        for variant in &self.variants[1..] {
            let own = variant.loaded.plan.settings.seed;
            if own != first.seed {
                let name = variant.labels.join(", ");
                terminal.note(&format!(
                    "{name}: seeds from {} on, as the first scenario, and not from {own}",
                    first.seed
                ));
            }
        }
        for contender in &self.all {
            let plan = &self.variants[contender.scenario].loaded.plan;
            let note = stops_nobody(&contender.settings, plan);
            terminal.notes(note.map(|note| format!("{}: {note}", contender.name)).as_slice());
        }
    }
    /// Whether seeds make a difference to anybody.
    pub(super) fn is_random(&self) -> std::result::Result<bool, Arc<Error>> {
        for (place, variant) in self.variants.iter().enumerate() {
            let plan = &variant.loaded.plan;
            let other = variant.template.plan(plan.settings.seed.wrapping_add(1))?;
            let own = self.all.iter().filter(|contender| contender.scenario == place);
            if is_random(plan, &other, own.map(|contender| &contender.settings)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
    /// Jobs of one run of every contender: another seed may bring a few more or fewer.
    pub(super) fn jobs(&self) -> u64 {
        let jobs = |contender: &Contender| self.variants[contender.scenario].loaded.plan.workload.len();
        self.all.iter().map(|contender| u64::from(jobs(contender))).sum()
    }
    /// What makes the plans, without the plans.
    pub(super) fn into_plans(self) -> (Vec<Template<'a>>, Vec<Contender>) {
        (self.variants.into_iter().map(|variant| variant.template).collect(), self.all)
    }
}

/// The plan of one of some scenarios under a seed.
pub(super) fn plan(
    templates: &[Template<'_>],
    scenario: usize,
    seed: u64,
) -> std::result::Result<Plan, Arc<Error>> {
    templates[scenario].plan(seed)
}

/// Every scenario at every point.
fn variants(arguments: &Compare) -> Result<Vec<Variant<'_>>> {
    let mut problems = Problems::default();
    let axes = parsed("--vary", &arguments.vary, Axis::parse, &mut problems);
    let points = points(&axes, Design::Grid).unwrap_or_else(|problem| {
        problems.push(problem.at(Place::file("--vary")));
        Vec::new()
    });
    if axes.iter().any(|axis| axis.key == "policy") && !arguments.policies.is_empty() {
        let problem = Problem::new("policies are given by `--policy`, and vary too");
        problems.push(problem.at(Place::file("--vary policy")).hint("name all of them by `-p`"));
    }
    let paths: Vec<Option<&Path>> = match &arguments.scenarios[..] {
        [] => vec![None],
        paths => paths.iter().map(|path| Some(path.as_path())).collect(),
    };
    let names = names(&arguments.scenarios);
    let mut found = Vec::new();
    for (place, path) in paths.into_iter().enumerate() {
        let keys = axes.iter().map(|axis| axis.key.as_str());
        let template = Template::new(path, arguments.changes.overrides(None), "--vary", keys)?;
        for point in &points {
            let pairs = axes.iter().zip(point);
            let template = pairs
                .clone()
                .fold(template.clone(), |template, (axis, value)| template.with(&axis.key, value));
            let name = names.get(place).filter(|_| names.len() > 1).cloned();
            let labels = name.into_iter().chain(pairs.map(|(axis, value)| format!("{}={value}", axis.key)));
            match template.load() {
                Ok(loaded) => found.push(Variant { labels: labels.collect(), template, loaded }),
                Err(Error::Input(own)) => problems.append(own),
                Err(other) => return Err(other),
            }
        }
    }
    problems.into_result(found)
}

/// What scenarios are called: their files without folder and ending, or all of the path where two are called alike.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let stem =
        |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let short: Vec<String> = paths.iter().map(stem).collect();
    let is_unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    let name = |(path, short): (&PathBuf, &String)| {
        if is_unique(short) { short.clone() } else { path.display().to_string() }
    };
    paths.iter().zip(&short).map(name).collect()
}
